#include "fastnn/nn/prelu.hpp"

#include <algorithm>

#include "fastnn/kernels/prelu.hpp"

namespace fastnn {

template <class T>
Prelu<T>::Prelu(const std::string& name,
                Index width,
                bool per_unit,
                double lr_scale,
                TensorTable& table)
    : width_(width),
      slope_(table.add(name, "weight", {per_unit ? width : 1}, Storage::kParameters)),
      lr_scale_(lr_scale) {}

template <class T>
void Prelu<T>::initialise(T* parameters, double slope) const {
    std::fill_n(parameters + slope_.begin, slope_.size(), static_cast<T>(slope));
}

template <class T>
LayerMemory<T> Prelu<T>::memory(const Pass& pass) const {
    return activation_memory<T>(activation(), pass.batch, width_);
}

template <class T>
std::vector<ParameterTile> Prelu<T>::parameter_tiles(Index layer) const {
    return {{layer, {0, slope_.size()}, slope_, {}, lr_scale_}};
}

template <class T>
void Prelu<T>::forward(const State<T>& state,
                       const Pass&,
                       MatrixView<const T> x,
                       LayerMemory<T>& memory,
                       const Tile& tile) const {
    prelu_forward<T>(x, slopes(state), memory.out.view(tile.rows));
}

template <class T>
void Prelu<T>::backward(const State<T>& state,
                        const Pass&,
                        MatrixView<const T> x,
                        LayerMemory<T>& memory,
                        MatrixView<T> dx,
                        const Tile& tile) const {
    if (!dx.data) return;
    prelu_backward_input<T>(memory.grad.view(tile.rows), x, slopes(state), dx);
}

template <class T>
void Prelu<T>::gradient(const State<T>&,
                        const Pass& pass,
                        MatrixView<const T> x,
                        const LayerMemory<T>& memory,
                        const ParameterTile& tile,
                        const TileGradient<T>& d) const {
    prelu_slope_gradient<T>(memory.grad.view({0, pass.batch}), x,
                            {d.weight, tile.weight.size()});
}

template <class T>
void Prelu<T>::infer(const State<T>& state,
                     const Activation&,
                     MatrixView<const T> x,
                     MatrixView<T> y) const {
    prelu_forward<T>(x, slopes(state), y);
}

template class Prelu<float>;
template class Prelu<double>;

}  // namespace fastnn
