// What the last steps told of the curvature: pairs
//   s = x' - x,   y = grad f(x') - grad f(x),   y's > 0,
// that stand for an approximation H of the inverse Hessian (Nocedal 1980, "Updating
// quasi-Newton matrices with limited storage").
#pragma once

#include <vector>

#include "fastnn/core/buffer.hpp"

namespace fastnn::optim {

template <class T>
class CurvatureHistory {
public:
    CurvatureHistory(Index n, Index most_pairs) : n_(n), most_pairs_(most_pairs) {}

    Index size() const noexcept { return static_cast<Index>(pairs_.size()); }
    bool empty() const noexcept { return pairs_.empty(); }
    Index most_pairs() const noexcept { return most_pairs_; }
    void clear() noexcept;

    // Learns that the step t d changed the gradient from `before` to `after`, unless
    // y's > 0 is lost in rounding. Forgets the oldest pair if there are too many.
    void add(double t,
             VectorView<const T> d,       // (n)
             VectorView<const T> before,  // (n)
             VectorView<const T> after);  // (n)

    // d = -H g by the two loops of Nocedal and Wright, algorithm 7.4; H = I without
    // pairs, else H0 = (y's / y'y) I of the newest. As stages of tiles, for run_job:
    // begun, then run until advance() is false. Long histories of large networks take
    // longer than an evaluation does.
    void begin_direction(VectorView<const T> g, VectorView<T> d);  // (n)
    Index tiles() const noexcept { return partial_.size(); }
    void run(Index tile) noexcept;
    bool advance() noexcept;
    double slope() const noexcept { return sum_; }  // g'd, when that is done

    // The pairs from the oldest to the newest, to save and to restore them.
    VectorView<const T> s(Index i) const noexcept { return pair(i).s.view(); }
    VectorView<const T> y(Index i) const noexcept { return pair(i).y.view(); }
    void restore(VectorView<const T> s, VectorView<const T> y);

private:
    struct Pair {
        Buffer<T> s, y;
        double ys = 0;     // y's
        double h0 = 0;     // y's / y'y
        double alpha = 0;  // of the first loop
    };
    Pair& pair(Index i) noexcept { return pairs_[position(i)]; }
    const Pair& pair(Index i) const noexcept { return pairs_[position(i)]; }
    std::size_t position(Index i) const noexcept {
        return static_cast<std::size_t>((oldest_ + i) % size());
    }
    void keep_spare();
    double change_and_measure(Range r) noexcept;

    Index n_;
    Index most_pairs_;
    Index oldest_ = 0;  // where it lies: a full history is a ring
    std::vector<Pair> pairs_;
    Pair spare_;  // where the next pair is made

    // Of the direction: each stage adds a multiple of one vector to d and takes the
    // product of d with the next, which says how much of it to add.
    VectorView<const T> g_;
    VectorView<T> d_;
    Index stage_ = 0;         // 0 .. 2 size()
    double factor_ = 0;       // of the vector to add
    Buffer<double> partial_;  // the product in each tile
    double sum_ = 0;
};

}  // namespace fastnn::optim
