#include "fastnn/optim/curvature_history.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fastnn/kernels/reduce.hpp"
#include "fastnn/kernels/vectors.hpp"

namespace fastnn::optim {
namespace {

// Elements of a tile: enough work to hand out, little enough to stay in cache.
constexpr Index kTile = 16384;

}  // namespace

template <class T>
void CurvatureHistory<T>::add(double t,
                              VectorView<const T> d,
                              VectorView<const T> before,
                              VectorView<const T> after) {
    spare_.s.reserve(n_);
    spare_.y.reserve(n_);
    scaled<T>(t, d, spare_.s.view());
    subtract<T>(after, before, spare_.y.view());
    spare_.ys = dot<T>(spare_.y.view(), spare_.s.view());
    spare_.h0 = spare_.ys / squared_norm<T>(spare_.y.view());
    if (spare_.h0 > 0 && std::isfinite(spare_.h0)) keep_spare();
}

template <class T>
void CurvatureHistory<T>::restore(VectorView<const T> s, VectorView<const T> y) {
    spare_.s.reserve(n_);
    spare_.y.reserve(n_);
    std::copy_n(s.data, n_, spare_.s.data());
    std::copy_n(y.data, n_, spare_.y.data());
    spare_.ys = dot<T>(y, s);
    spare_.h0 = spare_.ys / squared_norm<T>(y);
    keep_spare();
}

// Memory for a pair is taken when there is a pair: short runs of long histories of
// large networks stay small.
template <class T>
void CurvatureHistory<T>::keep_spare() {
    if (size() < most_pairs_) {
        pairs_.push_back(std::move(spare_));  // oldest_ is 0: the ring is not yet full
        spare_ = {};
    } else {
        std::swap(pair(0), spare_);
        oldest_ = (oldest_ + 1) % size();
    }
}

template <class T>
void CurvatureHistory<T>::clear() noexcept {
    pairs_.clear();
    oldest_ = 0;
}

template <class T>
void CurvatureHistory<T>::begin_direction(VectorView<const T> g, VectorView<T> d) {
    g_ = g;
    d_ = d;
    stage_ = 0;
    partial_.reserve(ceil_div(n_, kTile));
}

template <class T>
void CurvatureHistory<T>::run(Index tile) noexcept {
    partial_[tile] = change_and_measure(tile_range(tile, kTile, n_));
}

// What the stage adds to d, and the product of d with what the next one may add.
template <class T>
double CurvatureHistory<T>::change_and_measure(Range r) noexcept {
    const Index m = size();
    const VectorView<T> d = d_.slice(r);
    if (stage_ == 0) {
        scaled<T>(-1, g_.slice(r), d);
    } else if (stage_ <= m) {
        add_scaled<T>(factor_, y(m - stage_).slice(r), d);
    } else {
        add_scaled<T>(factor_, s(stage_ - m - 1).slice(r), d);
    }
    if (stage_ == m && m > 0) scale<T>(d, pair(m - 1).h0);
    if (stage_ < m) return dot<T>(s(m - 1 - stage_).slice(r), d);
    if (stage_ < 2 * m) return dot<T>(y(stage_ - m).slice(r), d);
    return dot<T>(g_.slice(r), d);
}

template <class T>
bool CurvatureHistory<T>::advance() noexcept {
    const Index m = size();
    sum_ = 0;
    for (Index i = 0; i < tiles(); ++i) sum_ += partial_[i];
    if (stage_ < m) {  // the first loop, from the newest pair to the oldest
        Pair& p = pair(m - 1 - stage_);
        p.alpha = sum_ / p.ys;
        factor_ = -p.alpha;
    } else if (stage_ < 2 * m) {  // the second, back again
        const Pair& p = pair(stage_ - m);
        factor_ = p.alpha - sum_ / p.ys;
    }
    return stage_++ < 2 * m;
}

template class CurvatureHistory<float>;
template class CurvatureHistory<double>;

}  // namespace fastnn::optim
