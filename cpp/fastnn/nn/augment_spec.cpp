#include "fastnn/nn/augment_spec.hpp"

#include <algorithm>
#include <cmath>

namespace fastnn::augment {
namespace {

std::string sides(const Shape& shape) {
    return std::to_string(shape[0]) + " x " + std::to_string(shape[1]);
}

}  // namespace

void require_shape(const Shape& shape) {
    require(shape.empty() || shape.size() == 2 || shape.size() == 3,
            "the number of extents in shape", shape.size(),
            "2, (height, width), or 3, (height, width, channels)");
    constexpr Index kMost = Index{1} << 20;  // their product stays an Index
    for (const Index extent : shape) {
        require(extent >= 1 && extent <= kMost, "shape", extent,
                "of integers from 1 to " + std::to_string(kMost));
    }
}

PictureShape picture_shape(const Shape& shape) noexcept {
    if (shape.empty()) return {};
    return {shape[0], shape[1], shape.size() == 3 ? shape[2] : 1};
}

void Flip::validate() const {
    require_fraction("p", p);
    require(horizontal || vertical, "horizontal or vertical", false,
            "True: else nothing is flipped");
    require_shape(shape);
}

void Shift::validate() const {
    const bool whole = limit >= 1 && std::isfinite(limit) && limit == std::floor(limit);
    require(whole || (limit > 0 && limit < 1), "limit", limit,
            "a whole number of pixels >= 1, or a part of height and width in (0, 1)");
    require_finite("fill", fill);
    require_shape(shape);
    if (shape.empty() || !whole) return;
    require(limit < static_cast<double>(std::max(shape[0], shape[1])), "limit", limit,
            "below the longer side of the picture, " + sides(shape));
}

Index Shift::pixels(Index extent) const noexcept {
    if (limit >= 1) return static_cast<Index>(limit);
    return static_cast<Index>(std::floor(limit * static_cast<double>(extent) + 0.5));
}

void Rotate::validate() const {
    require(degrees >= 0 && degrees <= 180, "degrees", degrees, "in [0, 180]");
    require_finite("fill", fill);
    require_shape(shape);
}

void Crop::validate() const {
    require(scale.size() == 2, "the number of entries in scale", scale.size(), "2");
    for (const double part : scale) {
        require(part > 0 && part <= 1, "scale", part, "of parts of the area in (0, 1]");
    }
    require(scale[0] <= scale[1], "scale[0]", scale[0],
            "at most scale[1], which is " + std::to_string(scale[1]));
    require_shape(shape);
}

void Cutout::validate() const {
    require(size >= 1, "size", size, "an integer >= 1, in pixels");
    require_finite("fill", fill);
    require_shape(shape);
    if (shape.empty()) return;
    require(size <= std::max(shape[0], shape[1]), "size", size,
            "at most the longer side of the picture, " + sides(shape));
}

}  // namespace fastnn::augment
