#include "fastnn/kernels/softmax.hpp"

#include <limits>

#include "fastnn/kernels/elementary.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {

using simd::for_each;
using simd::Vec;

template <class T>
[[gnu::flatten]] void softmax_rows(MatrixView<T> y) noexcept {
    constexpr T kLowest = -std::numeric_limits<T>::infinity();  // exp of it is 0
    for (Index i = 0; i < y.rows; ++i) {
        T* row = y.row(i);
        Vec<T> greatest(kLowest), total;
        for_each<T>(y.cols,
                    [&](auto at) { greatest = max(greatest, at.load(row, kLowest)); });
        const Vec<T> shift(max_lane(greatest));
        for_each<T>(y.cols, [&](auto at) {
            const Vec<T> e = exp_of_negative(at.load(row, kLowest) - shift);
            total += e;
            at.store(row, e);
        });
        const Vec<T> partition(sum(total));
        for_each<T>(y.cols, [&](auto at) { at.store(row, at.load(row) / partition); });
    }
}

template void softmax_rows(MatrixView<float>) noexcept;
template void softmax_rows(MatrixView<double>) noexcept;

}  // namespace fastnn
