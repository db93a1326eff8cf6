#include "fastnn/diagnose/r_maxout.hpp"

namespace fastnn {

void r_forward(const LargestPiece<double>&, const RRows& at, MatrixView<double> ry) {
    const MatrixView<const double> winner = at.memory.pre.view(at.rows);
    for (Index i = 0; i < ry.rows; ++i) {
        for (Index j = 0; j < ry.cols; ++j) {
            const Index piece = static_cast<Index>(winner(i, j));
            ry(i, j) = at.inputs_move() ? at.rx(i, piece * ry.cols + j) : 0.0;
        }
    }
}

void r_backward(const LargestPiece<double>&, const RRows& at, MatrixView<double> rdx) {
    maxout_backward<double>(at.rdz, at.memory.pre.view(at.rows), rdx);
}

}  // namespace fastnn
