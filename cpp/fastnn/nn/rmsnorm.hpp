// Root-mean-square normalisation with its activation (Zhang & Sennrich 2019),
// torch.nn.RMSNorm's semantics: of each row, with a learned scale and no shift.
#pragma once

#include <string>
#include <vector>

#include "fastnn/nn/pass.hpp"
#include "fastnn/nn/tensors.hpp"

namespace fastnn {

template <class T>
class RmsNorm {
public:
    RmsNorm(const std::string& name,
            Index width,
            double eps,
            double lr_scale,
            Activation f,
            TensorTable& table);

    Index width() const noexcept { return width_; }
    static constexpr bool has_parameters() noexcept { return true; }
    const Activation& activation() const noexcept { return f_; }

    void initialise(T* parameters) const;
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

    // (width)
    const T* gamma(const State<T>& state) const noexcept {
        return state.parameters + gamma_.begin;
    }

private:
    Index width_;
    Range gamma_;
    double eps_;
    double lr_scale_;
    Activation f_;
};

}  // namespace fastnn
