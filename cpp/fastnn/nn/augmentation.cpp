#include "fastnn/nn/augmentation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "fastnn/core/rng.hpp"
#include "fastnn/kernels/noise.hpp"
#include "fastnn/kernels/simd.hpp"

namespace fastnn {
namespace {

// Four numbers in (0, 1) for one row: (w + 1/2) / 2^32 of the words w of Philox block
// (0, row).
std::array<double, 4> uniforms(const RandomKey& key, Index row) noexcept {
    const PhiloxBlock words =
        philox4x32({0, static_cast<std::uint32_t>(row), key.stream, key.step},
                   PhiloxKey(key.seed));
    std::array<double, 4> u;
    for (std::size_t k = 0; k < 4; ++k) u[k] = (words[k] + 0.5) * 0x1p-32;
    return u;
}

// One of 0 .. n - 1.
Index choice(double u, Index n) noexcept {
    return static_cast<Index>(u * static_cast<double>(n));
}

// In [-limit, limit).
double either_side(double u, double limit) noexcept { return limit * (2 * u - 1); }

// Beta(a, a) by Devroye (1996), "Random variate generation in one line of code": half
// of 1 + t / sqrt(2 a + t^2), t of Student's distribution of 2 a degrees (Bailey 1994).
double symmetric_beta(double a, double u, double v) noexcept {
    const double cosine = std::cos(2 * std::numbers::pi * v);
    const double square = (std::pow(u, -1 / a) - 1) * cosine * cosine;
    return 0.5 * (1 + std::copysign(1 / std::sqrt(1 + 1 / square), cosine));
}

// What each does to one row x, by the numbers u; `scratch` has room for a row.

template <class T>
void change(const augment::Brightness& b,
            const std::array<double, 4>& u,
            VectorView<T> x,
            T*) noexcept {
    const simd::Vec<T> lift(either_side(u[0], b.limit));
    simd::for_each<T>(x.size,
                      [&](auto at) { at.store(x.data, at.load(x.data) + lift); });
}

template <class T>
void change(const augment::Contrast& c,
            const std::array<double, 4>& u,
            VectorView<T> x,
            T*) noexcept {
    double sum = 0;
    for (Index j = 0; j < x.size; ++j) sum += static_cast<double>(x[j]);
    const simd::Vec<T> mean(sum / static_cast<double>(x.size));
    const simd::Vec<T> factor(1 + either_side(u[0], c.limit));
    simd::for_each<T>(x.size, [&](auto at) {
        at.store(x.data, fma(factor, at.load(x.data) - mean, mean));
    });
}

template <class T>
void change(const augment::Flip& f,
            const std::array<double, 4>& u,
            VectorView<T> x,
            T*) noexcept {
    const PictureShape shape = augment::picture_shape(f.shape);
    if (f.horizontal && u[0] < f.p) flip_left_right(shape, x.data);
    if (f.vertical && u[1] < f.p) flip_top_bottom(shape, x.data);
}

template <class T>
void change(const augment::Shift& s,
            const std::array<double, 4>& u,
            VectorView<T> x,
            T* scratch) noexcept {
    const PictureShape shape = augment::picture_shape(s.shape);
    const Index down = s.pixels(shape.height), right = s.pixels(shape.width);
    std::copy_n(x.data, x.size, scratch);
    shift_picture(shape, scratch, choice(u[0], 2 * down + 1) - down,
                  choice(u[1], 2 * right + 1) - right, static_cast<T>(s.fill), x.data);
}

template <class T>
void change(const augment::Rotate& r,
            const std::array<double, 4>& u,
            VectorView<T> x,
            T* scratch) noexcept {
    const PictureShape shape = augment::picture_shape(r.shape);
    const double radians = either_side(u[0], r.degrees) * std::numbers::pi / 180;
    std::copy_n(x.data, x.size, scratch);
    resample<T>(shape, scratch, rotation(shape, radians), static_cast<T>(r.fill),
                x.data);
}

template <class T>
void change(const augment::Crop& c,
            const std::array<double, 4>& u,
            VectorView<T> x,
            T* scratch) noexcept {
    const PictureShape shape = augment::picture_shape(c.shape);
    const double area = c.scale[0] + u[0] * (c.scale[1] - c.scale[0]);
    const double part = std::sqrt(area), rest = 1 - part;
    std::copy_n(x.data, x.size, scratch);
    resample<T>(shape, scratch, magnification(shape, u[1] * rest, u[2] * rest, part),
                std::nullopt, x.data);
}

template <class T>
void change(const augment::Cutout& c,
            const std::array<double, 4>& u,
            VectorView<T> x,
            T*) noexcept {
    const PictureShape shape = augment::picture_shape(c.shape);
    const Index top = choice(u[0], shape.height) - c.size / 2;
    const Index left = choice(u[1], shape.width) - c.size / 2;
    cut_out(shape, {top, top + c.size}, {left, left + c.size}, static_cast<T>(c.fill),
            x.data);
}

// y := share x + (1 - share) y
template <class T>
void blend(VectorView<const T> x, T share, T* y) noexcept {
    const simd::Vec<T> own(share);
    simd::for_each<T>(x.size, [&](auto at) {
        const simd::Vec<T> other = at.load(y);
        at.store(y, fma(own, at.load(x.data) - other, other));
    });
}

void require_picture(const Augment& augment, Index in_features) {
    std::visit(
        [&]<class A>(const A& a) {
            if constexpr (requires { a.shape; }) {
                const Index size = augment::picture_shape(a.shape).size();
                require(size == in_features,
                        std::string("augment: the numbers of a picture of ") + A::kKind,
                        size, std::to_string(in_features) + ", the features of X");
            }
        },
        augment);
}

}  // namespace

void check_mixable(const std::vector<Augment>& augment, const Loss& loss) {
    for (const Augment& a : augment) {
        require(!std::holds_alternative<augment::Mixup>(a) || !is_custom(loss),
                "augment: the loss for mixup", "a function",
                "one of fastnn's own: the targets of a function cannot be mixed");
    }
}

template <class T>
Augmentation<T>::Augmentation(const std::vector<Augment>& augment,
                              Index max_batch,
                              Index tiles,
                              Index in_features,
                              Index target_width)
    : augment_(augment), scratch_(2 * tiles, in_features) {
    for (std::size_t k = 0; k < augment.size(); ++k) {
        require_picture(augment[k], in_features);
        if (!std::holds_alternative<augment::Mixup>(augment[k])) continue;
        require(!mixes(), "augment: the number of mixups", 2, "at most 1");
        mix_ = static_cast<Index>(k);
    }
    if (!mixes()) return;
    partner_.resize(max_batch);
    share_.resize(max_batch);
    weight_.resize(max_batch);
    target_ = Matrix<T>(max_batch, target_width);
}

template <class T>
void Augmentation<T>::begin(const Samples<T>& samples,
                            const Index* rows,
                            Index n,
                            std::uint64_t seed,
                            std::uint32_t step) {
    samples_ = samples;
    rows_ = rows;
    batch_ = n;
    seed_ = seed;
    step_ = step;
    if (!mixes()) return;
    total_weight_ = 0;
    for (Index i = 0; i < n; ++i) {
        draw_mixture(i);
        total_weight_ += static_cast<double>(weight_[i]);
    }
}

template <class T>
void Augmentation<T>::draw_mixture(Index row) {
    const auto& mixup =
        std::get<augment::Mixup>(augment_[static_cast<std::size_t>(mix_)]);
    const RandomKey key{seed_, stream_of(Purpose::kAugment, mix_), step_};
    const auto u = uniforms(key, row);
    const double share = symmetric_beta(mixup.alpha, u[0], u[1]);
    partner_[row] = choice(u[2], batch_);
    share_[row] = static_cast<T>(share);
    weight_[row] = T(1);
    if (samples_.weights.empty()) return;
    const auto own = static_cast<double>(samples_.weights[sample(row)]);
    const auto other = static_cast<double>(samples_.weights[sample(partner_[row])]);
    weight_[row] = static_cast<T>(share * own + (1 - share) * other);
}

template <class T>
void Augmentation<T>::run(const Tile& tile, MatrixView<T> x) {
    T* partner = scratch_.row(2 * tile.index);
    T* picture = scratch_.row(2 * tile.index + 1);
    for (Index place = 0; place < static_cast<Index>(augment_.size()); ++place) {
        if (place != mix_) {
            apply(place, tile.rows.begin, x, picture);
            continue;
        }
        for (Index i = 0; i < x.rows; ++i) {
            mix(tile.rows.begin + i, x.row_slice({i, i + 1}), partner, picture);
        }
    }
}

// The rows of x are rows first_row, first_row + 1, ... of the batch.
template <class T>
void Augmentation<T>::apply(Index place,
                            Index first_row,
                            MatrixView<T> x,
                            T* scratch) const {
    const RandomKey key{seed_, stream_of(Purpose::kAugment, place), step_};
    std::visit(
        [&]<class A>(const A& a) {
            if constexpr (std::is_same_v<A, augment::Noise>) {
                add_gaussian_noise<T>(x, a.std, key, first_row, x);
            } else if constexpr (!std::is_same_v<A, augment::Mixup>) {
                for (Index i = 0; i < x.rows; ++i) {
                    const auto u = uniforms(key, first_row + i);
                    change<T>(a, u, {x.row(i), x.cols}, scratch);
                }
            }
        },
        augment_[static_cast<std::size_t>(place)]);
}

// A row of the batch as the samples hold it.
template <class T>
void Augmentation<T>::fetch(Index row, MatrixView<T> to) const {
    const Index from = sample(row);
    if (samples_.x.is_sparse()) {
        return write_out(samples_.x.sparse.choose(&from, 1), to);
    }
    std::copy_n(samples_.x.dense.row(from), to.cols, to.data);
}

template <class T>
void Augmentation<T>::mix(Index row, MatrixView<T> x, T* partner, T* scratch) {
    const MatrixView<T> other(partner, 1, x.cols);
    fetch(partner_[row], other);
    for (Index place = 0; place < mix_; ++place) {
        apply(place, partner_[row], other, scratch);
    }
    blend<T>({x.data, x.cols}, share_[row], other.data);
    std::copy_n(other.data, x.cols, x.data);
    mix_targets(row, target_.row(row));
}

template <class T>
void Augmentation<T>::mix_targets(Index row, T* mixture) const {
    std::fill_n(mixture, target_.cols(), T(0));
    add_target(row, share_[row], mixture);
    add_target(partner_[row], 1 - share_[row], mixture);
}

// The label was checked, but it lies in the user's array: one that is no class any more
// makes the loss NaN.
template <class T>
void Augmentation<T>::add_target(Index row, T share, T* mixture) const {
    const Index from = sample(row);
    if (!samples_.targets.are_labels()) {
        const T* y = samples_.targets.values.row(from);
        for (Index j = 0; j < target_.cols(); ++j) mixture[j] += share * y[j];
        return;
    }
    const std::int32_t label = samples_.targets.labels[from];
    if (label >= 0 && label < target_.cols()) {
        mixture[label] += share;
    } else {
        mixture[0] = std::numeric_limits<T>::quiet_NaN();
    }
}

template <class T>
Targets<T> Augmentation<T>::targets(Range rows) const noexcept {
    Targets<T> mixtures;
    mixtures.values = target_.view(rows);
    return mixtures;
}

template <class T>
VectorView<const T> Augmentation<T>::weights(Range rows) const noexcept {
    return weight_.view().slice(rows);
}

template class Augmentation<float>;
template class Augmentation<double>;

}  // namespace fastnn
