// Augmentation of a batch: its rows are changed at random after they were gathered.
//
// Every number drawn is a function of (seed, step, place in the list, row of the
// batch): tiles do not meet and threads change no bit. Mixup needs another row of the
// batch as what stands before it in the list has made it; that row may lie in another
// tile, so it is fetched from the samples and made once more, by its own numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "fastnn/core/matrix.hpp"
#include "fastnn/nn/augment_spec.hpp"
#include "fastnn/nn/pass.hpp"
#include "fastnn/nn/samples.hpp"

namespace fastnn {

// Throws for mixup with a loss whose targets it cannot mix.
void check_mixable(const std::vector<Augment>& augment, const Loss& loss);

template <class T>
class Augmentation {
public:
    // Throws for pictures that are not as large as the rows, and for a second mixup.
    // Allocates for batches of up to `max_batch` rows in up to `tiles` tiles.
    Augmentation(const std::vector<Augment>& augment,
                 Index max_batch,
                 Index tiles,
                 Index in_features,
                 Index target_width);  // of the mixtures

    // The batch to come: rows[0 .. n) of the samples, or their first n when rows is
    // null.
    void begin(const Samples<T>& samples,
               const Index* rows,
               Index n,
               std::uint64_t seed,
               std::uint32_t step);
    // x: the tile's rows, as the samples hold them.
    void run(const Tile& tile, MatrixView<T> x);

    // Whether rows are mixed. Then their targets and weights are these.
    bool mixes() const noexcept { return mix_ >= 0; }
    double total_weight() const noexcept { return total_weight_; }
    Targets<T> targets(Range rows) const noexcept;
    VectorView<const T> weights(Range rows) const noexcept;

private:
    void apply(Index place, Index first_row, MatrixView<T> x, T* scratch) const;
    void fetch(Index row, MatrixView<T> to) const;
    void mix(Index row, MatrixView<T> x, T* partner, T* scratch);
    void mix_targets(Index row, T* mixture) const;
    void add_target(Index row, T share, T* mixture) const;
    void draw_mixture(Index row);
    Index sample(Index row) const noexcept { return rows_ ? rows_[row] : row; }

    std::vector<Augment> augment_;
    Index mix_ = -1;     // the place of mixup in it
    Matrix<T> scratch_;  // (2 tiles, in): of each tile a partner and a picture
    Samples<T> samples_;
    const Index* rows_ = nullptr;
    Index batch_ = 0;
    std::uint64_t seed_ = 0;
    std::uint32_t step_ = 0;

    // With mixup, of each row of the batch:
    Buffer<Index> partner_;
    Buffer<T> share_;   // its own in the mixture
    Buffer<T> weight_;  // of the mixture
    Matrix<T> target_;  // of the mixture; labels become shares of the classes
    double total_weight_ = 0;
};

}  // namespace fastnn
