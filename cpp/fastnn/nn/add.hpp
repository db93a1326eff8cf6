// The end of a residual block with its activation: y = f(skip + factor F).
#pragma once

#include "fastnn/kernels/residual.hpp"
#include "fastnn/nn/elementwise.hpp"

namespace fastnn {

// In training with survival < 1 each row keeps F with this probability, scaled by
// 1 / survival (Huang et al. 2016, inverted as dropout is); otherwise the factor is 1.
template <class T>
struct Add : Elementwise<T> {
    double survival;
    Index number;  // of the block in the network: its own stream of random numbers
    Activation f;

    bool is_random() const noexcept { return survival < 1; }
    const Activation& activation() const noexcept { return f; }
    LayerMemory<T> memory(const Pass& pass) const {
        LayerMemory<T> memory = activation_memory<T>(f, pass.batch, this->columns);
        if (draws(pass)) memory.factors.resize(pass.batch);
        return memory;
    }
    void forward(const Pass& pass,
                 MatrixView<const T> skip,
                 MatrixView<const T> branch,
                 LayerMemory<T>& memory,
                 const Tile& tile) const {
        const Range rows = tile.rows;
        if (draws(pass)) {
            const RandomKey key{pass.seed, stream_of(Purpose::kSurvival, number),
                                pass.step};
            survival_factors<T>(survival, key, pass.first_row + rows.begin,
                                memory.factors.view().slice(rows));
        }
        residual_forward<T>(skip, branch, factors(pass, memory, rows),
                            pre_activation(f, memory, rows));
        activate(f, memory, rows);
    }
    // dz := dy f'(z) stays in memory.grad: it is the skip's gradient. dbranch may be
    // empty: nothing in the block needs gradients.
    void backward(const Pass& pass,
                  LayerMemory<T>& memory,
                  MatrixView<T> dbranch,
                  const Tile& tile) const {
        const Range rows = tile.rows;
        activate_backward(f, memory, rows);
        if (!dbranch.data) return;
        residual_backward<T>(memory.grad.view(rows), factors(pass, memory, rows),
                             dbranch);
    }
    void infer(const Activation& g,
               MatrixView<const T> skip,
               MatrixView<const T> branch,
               MatrixView<T> y) const {
        residual_forward<T>(skip, branch, {}, y);
        if (!is_identity(g)) activation_forward<T>(g, flat<const T>(y), flat(y));
    }

private:
    bool draws(const Pass& pass) const noexcept { return pass.training && is_random(); }
    VectorView<const T> factors(const Pass& pass,
                                const LayerMemory<T>& memory,
                                Range rows) const noexcept {
        if (!draws(pass)) return {};
        return memory.factors.view().slice(rows);
    }
};

}  // namespace fastnn
