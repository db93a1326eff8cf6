#include "fastnn/nn/batchnorm.hpp"

#include <algorithm>

#include "fastnn/kernels/normalize.hpp"
#include "fastnn/kernels/reduce.hpp"

namespace fastnn {

template <class T>
BatchNorm<T>::BatchNorm(const std::string& name,
                        Index width,
                        double eps,
                        double momentum,
                        double lr_scale,
                        Activation f,
                        TensorTable& table)
    : width_(width),
      gamma_(table.add(name, "weight", {width}, Storage::kParameters)),
      beta_(table.add(name, "bias", {width}, Storage::kParameters)),
      running_mean_(table.add(name, "running_mean", {width}, Storage::kStatistics)),
      running_var_(table.add(name, "running_var", {width}, Storage::kStatistics)),
      counter_(table.add(name, "num_batches_tracked", {}, Storage::kCounters)),
      eps_(eps),
      lr_scale_(lr_scale),
      momentum_(momentum),
      f_(f) {}

template <class T>
void BatchNorm<T>::initialise(T* parameters, T* statistics) const {
    std::fill_n(parameters + gamma_.begin, width_, T(1));
    std::fill_n(parameters + beta_.begin, width_, T(0));
    std::fill_n(statistics + running_mean_.begin, width_, T(0));
    std::fill_n(statistics + running_var_.begin, width_, T(1));
}

template <class T>
LayerMemory<T> BatchNorm<T>::memory(const Pass& pass) const {
    LayerMemory<T> memory = activation_memory<T>(f_, pass.batch, width_);
    memory.tile_a = Matrix<T>(pass.tiles(), width_);
    memory.tile_b = Matrix<T>(pass.tiles(), width_);
    for (Buffer<T>* b :
         {&memory.mean, &memory.inv_std, &memory.m2, &memory.dgamma, &memory.dbeta}) {
        b->resize(width_);
    }
    return memory;
}

template <class T>
std::vector<ParameterTile> BatchNorm<T>::parameter_tiles(Index layer) const {
    return {{layer, {0, width_}, gamma_, beta_, lr_scale_}};
}

template <class T>
void BatchNorm<T>::statistics_tile(MatrixView<const T> x,
                                   LayerMemory<T>& memory,
                                   const Tile& tile) const {
    column_moments<T>(x, memory.tile_a.row(tile.index), memory.tile_b.row(tile.index));
}

template <class T>
void BatchNorm<T>::merge_statistics(const State<T>& state,
                                    const Pass& pass,
                                    LayerMemory<T>& memory) const {
    if (!pass.training) {
        std::copy_n(state.statistics + running_mean_.begin, width_, memory.mean.data());
        inverse_deviation<T>({state.statistics + running_var_.begin, width_}, eps_,
                             memory.inv_std.data());
        return;
    }
    T* m2 = memory.m2.data();
    std::copy_n(memory.tile_a.row(0), width_, memory.mean.data());
    std::copy_n(memory.tile_b.row(0), width_, m2);
    for (Index i = 1; i < pass.tiles(); ++i) {
        const Range rows = tile_range(i, pass.tile_height, pass.batch);
        merge_moments<T>(width_, rows.begin, memory.mean.data(), m2, rows.size(),
                         memory.tile_a.row(i), memory.tile_b.row(i));
    }
    scale<T>(memory.m2.view(),
             1.0 / static_cast<double>(pass.batch));  // biased variance
    inverse_deviation<T>({m2, width_}, eps_, memory.inv_std.data());
}

template <class T>
void BatchNorm<T>::forward(const State<T>& state,
                           const Pass&,
                           MatrixView<const T> x,
                           LayerMemory<T>& memory,
                           const Tile& tile) const {
    const Range rows = tile.rows;
    batchnorm_apply<T>(x, memory.mean.data(), memory.inv_std.data(),
                       state.parameters + gamma_.begin, state.parameters + beta_.begin,
                       pre_activation(f_, memory, rows));
    activate(f_, memory, rows);
}

template <class T>
void BatchNorm<T>::backward_sums_tile(MatrixView<const T> x,
                                      LayerMemory<T>& memory,
                                      const Tile& tile) const {
    activate_backward(f_, memory, tile.rows);
    batchnorm_sums<T>(memory.grad.view(tile.rows), x, memory.mean.data(),
                      memory.inv_std.data(), memory.tile_a.row(tile.index),
                      memory.tile_b.row(tile.index));
}

template <class T>
void BatchNorm<T>::merge_backward_sums(const Pass& pass, LayerMemory<T>& memory) const {
    column_sums<T>(memory.tile_a.view({0, pass.tiles()}), memory.dgamma.data());
    column_sums<T>(memory.tile_b.view({0, pass.tiles()}), memory.dbeta.data());
}

template <class T>
void BatchNorm<T>::backward(const State<T>& state,
                            const Pass& pass,
                            MatrixView<const T> x,
                            LayerMemory<T>& memory,
                            MatrixView<T> dx,
                            const Tile& tile) const {
    if (!dx.data) return;
    batchnorm_backward_input<T>(memory.grad.view(tile.rows), x, memory.mean.data(),
                                memory.inv_std.data(), state.parameters + gamma_.begin,
                                memory.dgamma.data(), memory.dbeta.data(),
                                pass.training ? pass.batch : 0, dx);
}

template <class T>
void BatchNorm<T>::gradient(const State<T>&,
                            const Pass&,
                            MatrixView<const T>,
                            const LayerMemory<T>& memory,
                            const ParameterTile&,
                            const TileGradient<T>& d) const {
    std::copy_n(memory.dgamma.data(), width_, d.weight);
    std::copy_n(memory.dbeta.data(), width_, d.bias);
}

template <class T>
void BatchNorm<T>::update_running(const Pass& pass,
                                  const LayerMemory<T>& memory,
                                  std::optional<double> share,
                                  T* statistics,
                                  std::int64_t* counters) const {
    if (pass.batch < 2) return;
    const auto n = static_cast<double>(pass.batch);
    const double part = share.value_or(momentum_);
    const T keep = static_cast<T>(1 - part), take = static_cast<T>(part);
    const T unbias = static_cast<T>(part * n / (n - 1));
    T* mean = statistics + running_mean_.begin;
    T* var = statistics + running_var_.begin;
    for (Index i = 0; i < width_; ++i) {
        mean[i] = keep * mean[i] + take * memory.mean[i];
        var[i] = keep * var[i] + unbias * memory.m2[i];
    }
    ++counters[counter_.begin];
}

template <class T>
void BatchNorm<T>::forget_running(T* statistics, std::int64_t* counters) const {
    std::fill_n(statistics + running_mean_.begin, width_, T(0));
    std::fill_n(statistics + running_var_.begin, width_, T(0));
    counters[counter_.begin] = 0;
}

template <class T>
void BatchNorm<T>::infer(const State<T>& state,
                         const Activation& f,
                         MatrixView<const T> x,
                         MatrixView<T> y) const {
    const T* statistics = state.statistics;
    batchnorm_infer<T>(
        x, statistics + running_mean_.begin, statistics + running_var_.begin, eps_,
        state.parameters + gamma_.begin, state.parameters + beta_.begin, y);
    if (!is_identity(f)) activation_forward<T>(f, flat<const T>(y), flat(y));
}

template class BatchNorm<float>;
template class BatchNorm<double>;

}  // namespace fastnn
