// Standard normal numbers of random words (Box & Muller 1958).
#pragma once

#include <cstdint>
#include <numbers>
#include <type_traits>

#include "fastnn/kernels/simd.hpp"

namespace fastnn {

// (w + 1/2) / 2^32, or with the bits that float has room for (w / 2^9 + 1/2) / 2^23:
// above 0 and below 1.
template <class T>
T open_fraction(std::uint32_t w) noexcept {
    if constexpr (std::is_same_v<T, float>) {
        return (static_cast<T>(w >> 9) + T(0.5)) * T(0x1p-23);
    } else {
        return (static_cast<T>(w) + T(0.5)) * T(0x1p-32);
    }
}

// Two normal numbers of two fractions u and v, in each lane:
//   sqrt(-2 log u) cos(2 pi v),  sqrt(-2 log u) sin(2 pi v)
template <class T>
class BoxMuller {
public:
    BoxMuller(simd::Vec<T> u, simd::Vec<T> v) noexcept
        : radius_(sqrt(simd::Vec<T>(-2) * log(u))),
          angle_(simd::Vec<T>(2 * std::numbers::pi) * v) {}

    simd::Vec<T> first() const noexcept { return radius_ * cos(angle_); }
    simd::Vec<T> second() const noexcept { return radius_ * sin(angle_); }

private:
    simd::Vec<T> radius_;
    simd::Vec<T> angle_;
};

}  // namespace fastnn
