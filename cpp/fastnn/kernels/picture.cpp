#include "fastnn/kernels/picture.hpp"

#include <algorithm>
#include <cmath>

namespace fastnn {
namespace {

// The two pixels around a position on one axis, and the weight of the second.
struct Neighbours {
    Index first;
    Index second;
    double weight;

    Neighbours(double position, Index extent, bool clamp) noexcept {
        const auto last = static_cast<double>(extent - 1);
        if (clamp) position = std::clamp(position, 0.0, last);
        // Far outside there is nothing but fill: the index need not say how far.
        position = std::clamp(position, -2.0, last + 2.0);
        const double below = std::floor(position);
        first = static_cast<Index>(below);
        second = clamp ? std::min(first + 1, extent - 1) : first + 1;
        weight = position - below;
    }
};

// A picture that goes on as `fill` beyond its edges.
template <class T>
struct Filled {
    const PictureShape& shape;
    const T* x;
    T fill;

    double at(Index row, Index column, Index channel) const noexcept {
        const bool inside =
            row >= 0 && row < shape.height && column >= 0 && column < shape.width;
        if (!inside) return static_cast<double>(fill);
        return static_cast<double>(
            x[(row * shape.width + column) * shape.channels + channel]);
    }
};

}  // namespace

template <class T>
void flip_left_right(const PictureShape& shape, T* x) noexcept {
    for (Index i = 0; i < shape.height; ++i) {
        T* row = x + i * shape.width * shape.channels;
        for (Index j = 0, k = shape.width - 1; j < k; ++j, --k) {
            std::swap_ranges(row + j * shape.channels, row + (j + 1) * shape.channels,
                             row + k * shape.channels);
        }
    }
}

template <class T>
void flip_top_bottom(const PictureShape& shape, T* x) noexcept {
    const Index length = shape.width * shape.channels;
    for (Index i = 0, k = shape.height - 1; i < k; ++i, --k) {
        std::swap_ranges(x + i * length, x + (i + 1) * length, x + k * length);
    }
}

template <class T>
void shift_picture(const PictureShape& shape,
                   const T* x,
                   Index down,
                   Index right,
                   T fill,
                   T* y) noexcept {
    const Index length = shape.width * shape.channels;
    const Range to{
        std::clamp<Index>(right, 0, shape.width) * shape.channels,
        std::clamp<Index>(shape.width + right, 0, shape.width) * shape.channels};
    for (Index i = 0; i < shape.height; ++i, y += length) {
        const Index from = i - down;
        if (from < 0 || from >= shape.height || to.size() <= 0) {
            std::fill_n(y, length, fill);
            continue;
        }
        const T* begin = x + (from * length + to.begin - right * shape.channels);
        std::fill_n(y, to.begin, fill);
        std::copy_n(begin, to.size(), y + to.begin);
        std::fill_n(y + to.end, length - to.end, fill);
    }
}

template <class T>
void cut_out(const PictureShape& shape,
             Range rows,
             Range columns,
             T fill,
             T* x) noexcept {
    const Range across{std::max<Index>(columns.begin, 0),
                       std::min(columns.end, shape.width)};
    const Index bottom = std::min(rows.end, shape.height);
    for (Index i = std::max<Index>(rows.begin, 0); i < bottom; ++i) {
        std::fill_n(x + (i * shape.width + across.begin) * shape.channels,
                    std::max<Index>(across.size(), 0) * shape.channels, fill);
    }
}

AffineMap rotation(const PictureShape& shape, double radians) noexcept {
    const double cosine = std::cos(radians), sine = std::sin(radians);
    const double row = 0.5 * static_cast<double>(shape.height - 1);
    const double column = 0.5 * static_cast<double>(shape.width - 1);
    return {{row - row * cosine - column * sine, column + row * sine - column * cosine},
            {cosine, -sine},
            {sine, cosine}};
}

// Positions count from the middle of the first pixel, edges from its edge.
AffineMap magnification(const PictureShape& shape,
                        double top,
                        double left,
                        double part) noexcept {
    const double shift = 0.5 * part - 0.5;
    return {{top * static_cast<double>(shape.height) + shift,
             left * static_cast<double>(shape.width) + shift},
            {part, 0},
            {0, part}};
}

template <class T>
void resample(const PictureShape& shape,
              const T* x,
              const AffineMap& map,
              std::optional<T> fill,
              T* y) noexcept {
    const Filled<T> picture{shape, x, fill.value_or(T(0))};
    for (Index i = 0; i < shape.height; ++i) {
        const auto r = static_cast<double>(i);
        for (Index j = 0; j < shape.width; ++j) {
            const auto c = static_cast<double>(j);
            const Neighbours rows(map.at.row + r * map.down.row + c * map.right.row,
                                  shape.height, !fill);
            const Neighbours columns(
                map.at.column + r * map.down.column + c * map.right.column, shape.width,
                !fill);
            for (Index k = 0; k < shape.channels; ++k) {
                const auto along = [&](Index row) {
                    const double first = picture.at(row, columns.first, k);
                    const double second = picture.at(row, columns.second, k);
                    return first + columns.weight * (second - first);
                };
                const double upper = along(rows.first), lower = along(rows.second);
                *y++ = static_cast<T>(upper + rows.weight * (lower - upper));
            }
        }
    }
}

#define FASTNN_INSTANTIATE(T)                                                      \
    template void flip_left_right<T>(const PictureShape&, T*) noexcept;            \
    template void flip_top_bottom<T>(const PictureShape&, T*) noexcept;            \
    template void shift_picture<T>(const PictureShape&, const T*, Index, Index, T, \
                                   T*) noexcept;                                   \
    template void cut_out<T>(const PictureShape&, Range, Range, T, T*) noexcept;   \
    template void resample<T>(const PictureShape&, const T*, const AffineMap&,     \
                              std::optional<T>, T*) noexcept;
FASTNN_INSTANTIATE(float)
FASTNN_INSTANTIATE(double)
#undef FASTNN_INSTANTIATE

}  // namespace fastnn
