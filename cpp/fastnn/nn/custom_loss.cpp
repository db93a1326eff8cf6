#include "fastnn/nn/custom_loss.hpp"

#include <algorithm>
#include <limits>

#include "fastnn/kernels/reduce.hpp"
#include "fastnn/nn/loss_rows.hpp"

namespace fastnn {

template <class T>
void judge_rows(const Targets<T>& targets,
                MatrixView<const T> z,
                const Index* rows,
                VectorView<double> losses,
                MatrixView<T> dz) {
    bool finite = true;
    for (Index i = 0; i < z.rows; ++i) {
        finite = finite && all_finite<T>({z.row(i), z.cols});
    }
    if (finite) return (*targets.judge)(z, targets.first, rows, losses, dz);
    std::fill_n(losses.data, losses.size, std::numeric_limits<double>::quiet_NaN());
    for (Index i = 0; i < dz.rows; ++i) {
        std::fill_n(dz.row(i), dz.cols, std::numeric_limits<T>::quiet_NaN());
    }
}

template <class T>
double weigh_rows(VectorView<const double> losses,
                  VectorView<const T> weights,
                  const Index* rows,
                  double total_weight,
                  MatrixView<T> dz) noexcept {
    const Targets<T> none;
    const LossRows<T> batch{dz, none, weights, rows, total_weight, dz};
    double total = 0;
    for (Index i = 0; i < losses.size; ++i) {
        const double w = batch.weight(i);
        if (w != 0) total += w * losses[i];
        if (dz.data) scale<T>({dz.row(i), dz.cols}, batch.factor(w));
    }
    return total;
}

#define FASTNN_INSTANTIATE(T)                                                         \
    template void judge_rows<T>(const Targets<T>&, MatrixView<const T>, const Index*, \
                                VectorView<double>, MatrixView<T>);                   \
    template double weigh_rows<T>(VectorView<const double>, VectorView<const T>,      \
                                  const Index*, double, MatrixView<T>) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
