#include "fastnn/nn/layernorm.hpp"

#include <algorithm>

#include "fastnn/kernels/normalize.hpp"

namespace fastnn {

template <class T>
LayerNorm<T>::LayerNorm(const std::string& name,
                        Index width,
                        double eps,
                        double lr_scale,
                        Activation f,
                        TensorTable& table)
    : width_(width),
      gamma_(table.add(name, "weight", {width}, Storage::kParameters)),
      beta_(table.add(name, "bias", {width}, Storage::kParameters)),
      eps_(eps),
      lr_scale_(lr_scale),
      f_(f) {}

template <class T>
void LayerNorm<T>::initialise(T* parameters) const {
    std::fill_n(parameters + gamma_.begin, width_, T(1));
    std::fill_n(parameters + beta_.begin, width_, T(0));
}

template <class T>
LayerMemory<T> LayerNorm<T>::memory(const Pass& pass) const {
    LayerMemory<T> memory = activation_memory<T>(f_, pass.batch, width_);
    memory.mean.resize(pass.batch);
    memory.inv_std.resize(pass.batch);
    return memory;
}

template <class T>
std::vector<ParameterTile> LayerNorm<T>::parameter_tiles(Index layer) const {
    return {{layer, {0, width_}, gamma_, beta_, lr_scale_}};
}

template <class T>
void LayerNorm<T>::forward(const State<T>& state,
                           const Pass&,
                           MatrixView<const T> x,
                           LayerMemory<T>& memory,
                           const Tile& tile) const {
    const Range rows = tile.rows;
    layernorm_forward<T>(
        x, state.parameters + gamma_.begin, state.parameters + beta_.begin, eps_,
        pre_activation(f_, memory, rows), memory.mean.data() + rows.begin,
        memory.inv_std.data() + rows.begin);
    activate(f_, memory, rows);
}

template <class T>
void LayerNorm<T>::backward(const State<T>& state,
                            const Pass&,
                            MatrixView<const T> x,
                            LayerMemory<T>& memory,
                            MatrixView<T> dx,
                            const Tile& tile) const {
    const Range rows = tile.rows;
    activate_backward(f_, memory, rows);
    if (!dx.data) return;
    layernorm_backward_input<T>(
        memory.grad.view(rows), x, state.parameters + gamma_.begin,
        memory.mean.data() + rows.begin, memory.inv_std.data() + rows.begin, dx);
}

template <class T>
void LayerNorm<T>::gradient(const State<T>&,
                            const Pass& pass,
                            MatrixView<const T> x,
                            const LayerMemory<T>& memory,
                            const ParameterTile&,
                            const TileGradient<T>& d) const {
    layernorm_sums<T>(memory.grad.view({0, pass.batch}), x, memory.mean.data(),
                      memory.inv_std.data(), d.weight, d.bias);
}

template <class T>
void LayerNorm<T>::infer(const State<T>& state,
                         const Activation& f,
                         MatrixView<const T> x,
                         MatrixView<T> y) const {
    for (Index i = 0; i < x.rows; ++i) {
        T mean, inv_std;
        layernorm_forward<T>(x.row_slice({i, i + 1}), state.parameters + gamma_.begin,
                             state.parameters + beta_.begin, eps_,
                             y.row_slice({i, i + 1}), &mean, &inv_std);
    }
    if (!is_identity(f)) activation_forward<T>(f, flat<const T>(y), flat(y));
}

template class LayerNorm<float>;
template class LayerNorm<double>;

}  // namespace fastnn
