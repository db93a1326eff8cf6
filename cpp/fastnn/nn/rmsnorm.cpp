#include "fastnn/nn/rmsnorm.hpp"

#include <algorithm>

#include "fastnn/kernels/normalize.hpp"

namespace fastnn {

template <class T>
RmsNorm<T>::RmsNorm(const std::string& name,
                    Index width,
                    double eps,
                    double lr_scale,
                    Activation f,
                    TensorTable& table)
    : width_(width),
      gamma_(table.add(name, "weight", {width}, Storage::kParameters)),
      eps_(eps),
      lr_scale_(lr_scale),
      f_(f) {}

template <class T>
void RmsNorm<T>::initialise(T* parameters) const {
    std::fill_n(parameters + gamma_.begin, width_, T(1));
}

template <class T>
LayerMemory<T> RmsNorm<T>::memory(const Pass& pass) const {
    LayerMemory<T> memory = activation_memory<T>(f_, pass.batch, width_);
    memory.inv_std.resize(pass.batch);
    return memory;
}

template <class T>
std::vector<ParameterTile> RmsNorm<T>::parameter_tiles(Index layer) const {
    return {{layer, {0, width_}, gamma_, {}, lr_scale_}};
}

template <class T>
void RmsNorm<T>::forward(const State<T>& state,
                         const Pass&,
                         MatrixView<const T> x,
                         LayerMemory<T>& memory,
                         const Tile& tile) const {
    const Range rows = tile.rows;
    rmsnorm_forward<T>(x, state.parameters + gamma_.begin, eps_,
                       pre_activation(f_, memory, rows),
                       memory.inv_std.data() + rows.begin);
    activate(f_, memory, rows);
}

template <class T>
void RmsNorm<T>::backward(const State<T>& state,
                          const Pass&,
                          MatrixView<const T> x,
                          LayerMemory<T>& memory,
                          MatrixView<T> dx,
                          const Tile& tile) const {
    const Range rows = tile.rows;
    activate_backward(f_, memory, rows);
    if (!dx.data) return;
    rmsnorm_backward_input<T>(memory.grad.view(rows), x,
                              state.parameters + gamma_.begin,
                              memory.inv_std.data() + rows.begin, dx);
}

template <class T>
void RmsNorm<T>::gradient(const State<T>&,
                          const Pass& pass,
                          MatrixView<const T> x,
                          const LayerMemory<T>& memory,
                          const ParameterTile&,
                          const TileGradient<T>& d) const {
    rmsnorm_sums<T>(memory.grad.view({0, pass.batch}), x, memory.inv_std.data(),
                    d.weight);
}

template <class T>
void RmsNorm<T>::infer(const State<T>& state,
                       const Activation& f,
                       MatrixView<const T> x,
                       MatrixView<T> y) const {
    rmsnorm_forward<T>(x, state.parameters + gamma_.begin, eps_, y, nullptr);
    if (!is_identity(f)) activation_forward<T>(f, flat<const T>(y), flat(y));
}

template class RmsNorm<float>;
template class RmsNorm<double>;

}  // namespace fastnn
