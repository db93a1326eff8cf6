// Batch normalisation with its activation (Ioffe & Szegedy 2015),
// torch.nn.BatchNorm1d's semantics: biased variance to normalise, unbiased for the
// running one.
//
// In training the statistics need the whole batch, so a pass meets at a barrier twice:
// the tiles leave their moments (statistics_tile), one thread merges them
// (merge_statistics), and only then can tiles be normalised; likewise backward with the
// sums dgamma and dbeta.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fastnn/nn/pass.hpp"
#include "fastnn/nn/tensors.hpp"

namespace fastnn {

template <class T>
class BatchNorm {
public:
    BatchNorm(const std::string& name,
              Index width,
              double eps,
              double momentum,
              double lr_scale,
              Activation f,
              TensorTable& table);

    Index width() const noexcept { return width_; }
    static constexpr bool has_parameters() noexcept { return true; }
    const Activation& activation() const noexcept { return f_; }

    void initialise(T* parameters, T* statistics) const;
    LayerMemory<T> memory(const Pass& pass) const;
    std::vector<ParameterTile> parameter_tiles(Index layer) const;

    void statistics_tile(MatrixView<const T> x,
                         LayerMemory<T>& memory,
                         const Tile& tile) const;
    // Moments of the batch, or in inference mode the running ones.
    void merge_statistics(const State<T>& state,
                          const Pass& pass,
                          LayerMemory<T>& memory) const;
    void forward(const State<T>& state,
                 const Pass& pass,
                 MatrixView<const T> x,
                 LayerMemory<T>& memory,
                 const Tile& tile) const;

    void backward_sums_tile(MatrixView<const T> x,
                            LayerMemory<T>& memory,
                            const Tile& tile) const;
    void merge_backward_sums(const Pass& pass, LayerMemory<T>& memory) const;
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
    // running = (1 - share) running + share batch; share is the momentum if not given.
    // A batch of one row has no variance and leaves the running statistics alone.
    void update_running(const Pass& pass,
                        const LayerMemory<T>& memory,
                        std::optional<double> share,
                        T* statistics,
                        std::int64_t* counters) const;
    // To zeros, before running statistics are made anew.
    void forget_running(T* statistics, std::int64_t* counters) const;

    void infer(const State<T>& state,
               const Activation& f,
               MatrixView<const T> x,
               MatrixView<T> y) const;

    // (width) each
    const T* gamma(const State<T>& state) const noexcept {
        return state.parameters + gamma_.begin;
    }
    const T* beta(const State<T>& state) const noexcept {
        return state.parameters + beta_.begin;
    }

private:
    Index width_;
    Range gamma_;
    Range beta_;
    Range running_mean_;
    Range running_var_;
    Range counter_;
    double eps_;
    double lr_scale_;
    double momentum_;
    Activation f_;
};

}  // namespace fastnn
