#include "fastnn/optim/curvature_history.hpp"

#include <algorithm>
#include <utility>

#include "fastnn/kernels/reduce.hpp"
#include "fastnn/kernels/vectors.hpp"

namespace fastnn::optim {

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
    const double h0 = spare_.ys / squared_norm<T>(spare_.y.view());
    if (h0 > 0 && std::isfinite(h0)) keep_spare();
}

template <class T>
void CurvatureHistory<T>::restore(VectorView<const T> s, VectorView<const T> y) {
    spare_.s.reserve(n_);
    spare_.y.reserve(n_);
    std::copy_n(s.data, n_, spare_.s.data());
    std::copy_n(y.data, n_, spare_.y.data());
    spare_.ys = dot<T>(y, s);
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
void CurvatureHistory<T>::direction(VectorView<const T> g, VectorView<T> d) {
    scaled<T>(-1, g, d);
    if (empty()) return;
    for (Index i = size() - 1; i >= 0; --i) {
        Pair& p = pair(i);
        p.alpha = dot<T>(p.s.view(), d) / p.ys;
        add_scaled<T>(-p.alpha, p.y.view(), d);
    }
    const Pair& newest = pair(size() - 1);
    scale<T>(d, newest.ys / squared_norm<T>(newest.y.view()));
    for (Index i = 0; i < size(); ++i) {
        const Pair& p = pair(i);
        const double beta = dot<T>(p.y.view(), d) / p.ys;
        add_scaled<T>(p.alpha - beta, p.s.view(), d);
    }
}

template class CurvatureHistory<float>;
template class CurvatureHistory<double>;

}  // namespace fastnn::optim
