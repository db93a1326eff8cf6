// Vec<T>: one register of T with the operators of T, over Eigen's packet primitives.
//
// Kernels are written once as templates on Vec<T> and compiled for each CPU level.
// Every element goes through the same packet code: a tail is loaded into a partly
// filled register, never handled by scalar code, so an element's bits do not depend on
// where it stands in a loop.
#pragma once

#include <Eigen/Core>

#include "fastnn/core/types.hpp"

namespace fastnn::simd {

template <class T>
struct Mask;

// The first n lanes of a register from memory, zeros in the others, and back. Eigen's
// way goes through the stack, which stalls; masked instructions do not.
#if defined(__AVX512F__)
inline __mmask16 lanes_below(Index n) { return static_cast<__mmask16>((1u << n) - 1); }
inline __m512 head_of(const float* from, Index n) {
    return _mm512_maskz_loadu_ps(lanes_below(n), from);
}
inline __m512d head_of(const double* from, Index n) {
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>(lanes_below(n)), from);
}
inline void put_head(float* to, __m512 v, Index n) {
    _mm512_mask_storeu_ps(to, lanes_below(n), v);
}
inline void put_head(double* to, __m512d v, Index n) {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>(lanes_below(n)), v);
}
#elif defined(__AVX2__)
template <class Int>
__m256i lanes_below(Index n) {
    constexpr Index kLanes = 32 / sizeof(Int);
    static constexpr Int kOnes[2 * kLanes] = {-1,
                                              -1,
                                              -1,
                                              -1,
                                              kLanes > 4 ? -1 : 0,
                                              kLanes > 4 ? -1 : 0,
                                              kLanes > 4 ? -1 : 0,
                                              kLanes > 4 ? -1 : 0};
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes + kLanes - n));
}
inline __m256 head_of(const float* from, Index n) {
    return _mm256_maskload_ps(from, lanes_below<int>(n));
}
inline __m256d head_of(const double* from, Index n) {
    return _mm256_maskload_pd(from, lanes_below<long long>(n));
}
inline void put_head(float* to, __m256 v, Index n) {
    _mm256_maskstore_ps(to, lanes_below<int>(n), v);
}
inline void put_head(double* to, __m256d v, Index n) {
    _mm256_maskstore_pd(to, lanes_below<long long>(n), v);
}
#else
template <class T>
auto head_of(const T* from, Index n) {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    return Eigen::internal::ploadu_partial<Packet>(from, n);
}
template <class T, class Packet>
void put_head(T* to, const Packet& v, Index n) {
    Eigen::internal::pstoreu_partial(to, v, n);
}
#endif

template <class T>
struct Vec {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    static constexpr Index kWidth = Eigen::internal::unpacket_traits<Packet>::size;

    Packet packet;

    Vec() : Vec(0) {}
    template <class Number>
        requires std::is_arithmetic_v<Number>
    explicit Vec(Number scalar)
        : packet(Eigen::internal::pset1<Packet>(static_cast<T>(scalar))) {}
    explicit Vec(const Packet& p) : packet(p) {}

    static Vec load(const T* from) {
        return Vec(Eigen::internal::ploadu<Packet>(from));
    }
    // The first n < kWidth elements; the others are zero.
    static Vec load_head(const T* from, Index n) { return Vec(head_of(from, n)); }
    static Vec lane_numbers() {  // 0, 1, 2, ...
        return Vec(Eigen::internal::plset<Packet>(T(0)));
    }
    void store(T* to) const { Eigen::internal::pstoreu(to, packet); }
    void store_head(T* to, Index n) const { put_head(to, packet, n); }

    friend Vec operator+(Vec a, Vec b) {
        return Vec(Eigen::internal::padd(a.packet, b.packet));
    }
    friend Vec operator-(Vec a, Vec b) {
        return Vec(Eigen::internal::psub(a.packet, b.packet));
    }
    friend Vec operator*(Vec a, Vec b) {
        return Vec(Eigen::internal::pmul(a.packet, b.packet));
    }
    friend Vec operator/(Vec a, Vec b) {
        return Vec(Eigen::internal::pdiv(a.packet, b.packet));
    }
    friend Vec operator-(Vec a) { return Vec(Eigen::internal::pnegate(a.packet)); }
    Vec& operator+=(Vec b) { return *this = *this + b; }
    Vec& operator-=(Vec b) { return *this = *this - b; }
    Vec& operator*=(Vec b) { return *this = *this * b; }

    friend Mask<T> operator<(Vec a, Vec b) { return Mask<T>::less(a.packet, b.packet); }
    friend Mask<T> operator>(Vec a, Vec b) { return b < a; }
    friend Mask<T> operator<=(Vec a, Vec b) {
        return Mask<T>::less_or_equal(a.packet, b.packet);
    }
    friend Mask<T> operator>=(Vec a, Vec b) { return b <= a; }
    friend Mask<T> operator==(Vec a, Vec b) {
        return Mask<T>::equal(a.packet, b.packet);
    }
};

// The outcome of a comparison, lane by lane. With AVX-512 it lives in a mask register,
// where Eigen would carry it to a vector and back at every use.
#if defined(__AVX512F__)
template <>
struct Mask<float> {
    __mmask16 bits;

    static Mask less(__m512 a, __m512 b) {
        return {_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)};
    }
    static Mask less_or_equal(__m512 a, __m512 b) {
        return {_mm512_cmp_ps_mask(a, b, _CMP_LE_OQ)};
    }
    static Mask equal(__m512 a, __m512 b) {
        return {_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ)};
    }
    __m512 choose(__m512 yes, __m512 no) const {
        return _mm512_mask_blend_ps(bits, no, yes);
    }
    friend Mask operator&(Mask a, Mask b) { return {_kand_mask16(a.bits, b.bits)}; }
    friend Mask operator|(Mask a, Mask b) { return {_kor_mask16(a.bits, b.bits)}; }
};
template <>
struct Mask<double> {
    __mmask8 bits;

    static Mask less(__m512d a, __m512d b) {
        return {_mm512_cmp_pd_mask(a, b, _CMP_LT_OQ)};
    }
    static Mask less_or_equal(__m512d a, __m512d b) {
        return {_mm512_cmp_pd_mask(a, b, _CMP_LE_OQ)};
    }
    static Mask equal(__m512d a, __m512d b) {
        return {_mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ)};
    }
    __m512d choose(__m512d yes, __m512d no) const {
        return _mm512_mask_blend_pd(bits, no, yes);
    }
    friend Mask operator&(Mask a, Mask b) { return {_kand_mask8(a.bits, b.bits)}; }
    friend Mask operator|(Mask a, Mask b) { return {_kor_mask8(a.bits, b.bits)}; }
};
#else
template <class T>
struct Mask {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    Packet packet;

    static Mask less(const Packet& a, const Packet& b) {
        return {Eigen::internal::pcmp_lt(a, b)};
    }
    static Mask less_or_equal(const Packet& a, const Packet& b) {
        return {Eigen::internal::pcmp_le(a, b)};
    }
    static Mask equal(const Packet& a, const Packet& b) {
        return {Eigen::internal::pcmp_eq(a, b)};
    }
    Packet choose(const Packet& yes, const Packet& no) const {
        return Eigen::internal::pselect(packet, yes, no);
    }
    friend Mask operator&(Mask a, Mask b) {
        return {Eigen::internal::pand(a.packet, b.packet)};
    }
    friend Mask operator|(Mask a, Mask b) {
        return {Eigen::internal::por(a.packet, b.packet)};
    }
};
#endif

// yes where the mask holds, no elsewhere. A comparison with NaN does not hold: write
// conditions so that NaN takes the branch that keeps it.
template <class T>
Vec<T> select(Mask<T> mask, Vec<T> yes, Vec<T> no) {
    return Vec<T>(mask.choose(yes.packet, no.packet));
}

template <class T>
Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {  // a * b + c
    return Vec<T>(Eigen::internal::pmadd(a.packet, b.packet, c.packet));
}
template <class T>
Vec<T> round(Vec<T> a) {  // to the nearest integer, halves to even
    return Vec<T>(Eigen::internal::print(a.packet));
}
// 2^n for an integer n that keeps it a normal number.
template <class T>
Vec<T> exp2_of_integer(Vec<T> n) {
    return Vec<T>(Eigen::internal::pldexp_fast(Vec<T>(1).packet, n.packet));
}
template <class T>
Vec<T> abs(Vec<T> a) {
    return Vec<T>(Eigen::internal::pabs(a.packet));
}
template <class T>
Vec<T> sqrt(Vec<T> a) {
    return Vec<T>(Eigen::internal::psqrt(a.packet));
}
template <class T>
Vec<T> exp(Vec<T> a) {
    return Vec<T>(Eigen::internal::pexp(a.packet));
}
template <class T>
Vec<T> log(Vec<T> a) {
    return Vec<T>(Eigen::internal::plog(a.packet));
}
template <class T>
Vec<T> tanh(Vec<T> a) {
    return Vec<T>(Eigen::internal::ptanh(a.packet));
}
template <class T>
Vec<T> sin(Vec<T> a) {
    return Vec<T>(Eigen::internal::psin(a.packet));
}
template <class T>
Vec<T> cos(Vec<T> a) {
    return Vec<T>(Eigen::internal::pcos(a.packet));
}
// The larger and the smaller; NaN if either is NaN.
template <class T>
Vec<T> max(Vec<T> a, Vec<T> b) {
    return Vec<T>(Eigen::internal::pmax<Eigen::PropagateNaN>(a.packet, b.packet));
}
template <class T>
Vec<T> min(Vec<T> a, Vec<T> b) {
    return Vec<T>(Eigen::internal::pmin<Eigen::PropagateNaN>(a.packet, b.packet));
}
// The same for a b that is never NaN: one instruction where the others take four.
template <class T>
Vec<T> max_with_number(Vec<T> a, Vec<T> b) {
    return Vec<T>(Eigen::internal::pmax(a.packet, b.packet));
}
template <class T>
Vec<T> min_with_number(Vec<T> a, Vec<T> b) {
    return Vec<T>(Eigen::internal::pmin(a.packet, b.packet));
}
// -1, 0 or 1; NaN of NaN.
template <class T>
Vec<T> sign(Vec<T> a) {
    const Vec<T> zero(T(0));
    return select(zero < a, Vec<T>(T(1)), select(a < zero, Vec<T>(T(-1)), a));
}

// Lanes folded in a fixed order.
template <class T>
T sum(Vec<T> a) {
    return Eigen::internal::predux(a.packet);
}
template <class T>
T max_lane(Vec<T> a) {
    return Eigen::internal::predux_max(a.packet);
}

// Where a loop stands: a whole register at `i`, or the first `n` lanes of one.
template <class T>
struct Whole {
    Index i;
    Vec<T> load(const T* from) const { return Vec<T>::load(from + i); }
    Vec<T> load(const T* from, T) const { return load(from); }
    void store(T* to, Vec<T> v) const { v.store(to + i); }
    // v with zero in the lanes beyond the end, as a term of a sum.
    Vec<T> where_inside(Vec<T> v) const { return v; }
};
template <class T>
struct Head {
    Index i;
    Index n;
    Vec<T> load(const T* from) const { return Vec<T>::load_head(from + i, n); }
    // Lanes beyond the end hold `fill`: the neutral element of a reduction.
    Vec<T> load(const T* from, T fill) const {
        return select(inside(), load(from), Vec<T>(fill));
    }
    void store(T* to, Vec<T> v) const { v.store_head(to + i, n); }
    Vec<T> where_inside(Vec<T> v) const { return select(inside(), v, Vec<T>()); }
    Mask<T> inside() const { return Vec<T>::lane_numbers() < Vec<T>(n); }
};

// Calls body(at) for 0 .. n, a register at a time; `at` loads from and stores to
// arrays:
//   for_each<T>(n, [&](auto at) { at.store(y, exp(at.load(x))); });
template <class T, class Body>
inline void for_each(Index n, Body&& body) {
    constexpr Index width = Vec<T>::kWidth;
    Index i = 0;
    for (; i + width <= n; i += width) body(Whole<T>{i});
    if (i < n) body(Head<T>{i, n - i});
}

}  // namespace fastnn::simd
