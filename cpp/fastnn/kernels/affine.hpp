// The affine map of a dense layer and its three derivatives. Epilogues (activation,
// normalisation, loss) run on the same tile right after, while it is in cache.
//
// Each element of a result has the same bits however the result is cut (gemm.hpp): a
// row of Y alone, in a tile or in a batch; a slice of dW or all of it.
#pragma once

#include "fastnn/core/types.hpp"

namespace fastnn {

// The forward product reads W (out, in) packed: panels of kPanelUnits or fewer units,
// one for each lane of a register. Slices of units that begin at multiples of
// kPanelUnits can be packed apart. Up to kFewUnits units, which fit the smallest
// register, have one panel without room for more: lanes beyond them read weights of the
// next inputs, and are not stored.
inline constexpr Index kPanelUnits = 16;
inline constexpr Index kFewUnits = 2;

// Elements that the panels of W take.
constexpr Index panels_size(Index units, Index inputs) noexcept {
    if (units <= kFewUnits) return units * inputs + kPanelUnits;
    return round_up(units, kPanelUnits) * inputs;
}

// W (out, in), packed, from some unit on.
template <class T>
struct PackedWeightsView {
    const T* data;
    Index units;  // of all of W

    PackedWeightsView from(Index unit, Index inputs) const noexcept {
        return {data + unit * inputs, units};
    }
};

// Packs the units [units.begin, units.end) of W.
template <class T>
void pack_weights(MatrixView<const T> w,  // (out, in)
                  Range units,            // begin a multiple of kPanelUnits, and end
                                          // too unless it is `out`
                  T* panels) noexcept;    // those of all of W

// Y = X W^T + 1 b^T
template <class T>
void affine_forward(MatrixView<const T> x,      // (batch, in)
                    PackedWeightsView<T> w,     // (out, in)
                    VectorView<const T> b,      // (out), or empty
                    MatrixView<T> y) noexcept;  // (batch, out)

// dX = dY W
template <class T>
void affine_backward_input(MatrixView<const T> dy,      // (batch, out)
                           MatrixView<const T> w,       // (out, in)
                           MatrixView<T> dx) noexcept;  // (batch, in)

// dW = dY^T X
template <class T>
void affine_backward_weights(MatrixView<const T> dy,      // (batch, out)
                             MatrixView<const T> x,       // (batch, in)
                             MatrixView<T> dw) noexcept;  // (out, in)

// The same three products added to what is there: Y += X W^T, dX += dY W and
// dW += dY^T X.
template <class T>
void affine_forward_add(MatrixView<const T> x,      // (batch, in)
                        PackedWeightsView<T> w,     // (out, in)
                        MatrixView<T> y) noexcept;  // (batch, out)
template <class T>
void affine_backward_input_add(MatrixView<const T> dy,      // (batch, out)
                               MatrixView<const T> w,       // (out, in)
                               MatrixView<T> dx) noexcept;  // (batch, in)
template <class T>
void affine_backward_weights_add(MatrixView<const T> dy,      // (batch, out)
                                 MatrixView<const T> x,       // (batch, in)
                                 MatrixView<T> dw) noexcept;  // (out, in)

}  // namespace fastnn
