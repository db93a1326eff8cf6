// Rectifier with a learned slope (He et al. 2015), torch.nn.PReLU's semantics.
#pragma once

#include <string>
#include <vector>

#include "fastnn/nn/pass.hpp"
#include "fastnn/nn/tensors.hpp"

namespace fastnn {

template <class T>
class Prelu {
public:
    Prelu(const std::string& name,
          Index width,
          bool per_unit,
          double lr_scale,
          TensorTable& table);

    Index width() const noexcept { return width_; }
    static constexpr bool has_parameters() noexcept { return true; }
    static Activation activation() noexcept { return activation::Identity{}; }

    void initialise(T* parameters, double slope) const;
    LayerMemory<T> memory(const Pass& pass) const;
    std::vector<ParameterTile> parameter_tiles(Index layer) const;

    void forward(const State<T>& state,
                 const Pass& pass,
                 MatrixView<const T> x,
                 LayerMemory<T>& memory,
                 const Tile& tile) const;
    void backward(const State<T>& state,
                  const Pass& pass,
                  MatrixView<const T> x,
                  LayerMemory<T>& memory,
                  MatrixView<T> dx,
                  const Tile& tile) const;
    void gradient(const State<T>& state,
                  const Pass& pass,
                  MatrixView<const T> x,
                  const LayerMemory<T>& memory,
                  const ParameterTile& tile,
                  const TileGradient<T>& d) const;
    void infer(const State<T>& state,
               const Activation& f,
               MatrixView<const T> x,
               MatrixView<T> y) const;

    // (1) or (width)
    VectorView<const T> slopes(const State<T>& state) const noexcept {
        return {state.parameters + slope_.begin, slope_.size()};
    }

private:
    Index width_;
    Range slope_;
    double lr_scale_;
};

}  // namespace fastnn
