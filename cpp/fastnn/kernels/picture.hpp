// Rows that are pictures: changes of place, a picture at a time.
#pragma once

#include <optional>

#include "fastnn/core/types.hpp"

namespace fastnn {

// A row holds (height, width, channels) numbers, the channels of a pixel side by side.
struct PictureShape {
    Index height = 1;
    Index width = 1;
    Index channels = 1;

    Index size() const noexcept { return height * width * channels; }
};

// Left and right change places, or top and bottom.
template <class T>
void flip_left_right(const PictureShape& shape, T* x) noexcept;
template <class T>
void flip_top_bottom(const PictureShape& shape, T* x) noexcept;

// y(i, j) = x(i - down, j - right), or `fill` where x ends.
template <class T>
void shift_picture(const PictureShape& shape,
                   const T* x,
                   Index down,
                   Index right,
                   T fill,
                   T* y) noexcept;

// x := fill in the rows and columns of a rectangle, as far as there are any.
template <class T>
void cut_out(const PictureShape& shape,
             Range rows,
             Range columns,
             T fill,
             T* x) noexcept;

// Where pixel (i, j) comes from: row at.row + i down.row + j right.row, column
// likewise.
struct Position {
    double row = 0;
    double column = 0;
};
struct AffineMap {
    Position at, down, right;
};

// Turned anticlockwise about the centre.
AffineMap rotation(const PictureShape& shape, double radians) noexcept;
// The part of the picture that begins with the edges (top, left), all in parts of
// height and width, stretched to the whole.
AffineMap magnification(const PictureShape& shape,
                        double top,
                        double left,
                        double part) noexcept;

// y(i, j) = x at the map's position, between pixels the bilinear mean of the four
// around it. Outside of x lies `fill`, or without it the nearest pixel of the edge.
template <class T>
void resample(const PictureShape& shape,
              const T* x,
              const AffineMap& map,
              std::optional<T> fill,
              T* y) noexcept;

}  // namespace fastnn
