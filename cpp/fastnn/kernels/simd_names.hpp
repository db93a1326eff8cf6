// The names of simd.hpp that formulas are written with, for headers that are read where
// no register is known: the update rules' settings reach the bindings, which are
// compiled once for all CPU levels. Whoever calls the formulas includes simd.hpp.
#pragma once

namespace fastnn::simd {

template <class T>
struct Vec;
template <class T>
struct Mask;

template <class T>
Vec<T> select(Mask<T> mask, Vec<T> yes, Vec<T> no);
template <class T>
Vec<T> abs(Vec<T> a);
template <class T>
Vec<T> sqrt(Vec<T> a);
template <class T>
Vec<T> sign(Vec<T> a);
template <class T>
Vec<T> max_with_number(Vec<T> a, Vec<T> b);
template <class T>
Vec<T> min_with_number(Vec<T> a, Vec<T> b);

}  // namespace fastnn::simd
