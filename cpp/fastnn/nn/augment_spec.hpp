// Augmentations as the user writes them: plain descriptions, read from Python by their
// fields.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "fastnn/core/error.hpp"
#include "fastnn/core/fields.hpp"
#include "fastnn/kernels/picture.hpp"

namespace fastnn {

namespace augment {

// (height, width) or (height, width, channels); empty as long as X has not said it.
using Shape = std::vector<Index>;
void require_shape(const Shape& shape);
PictureShape picture_shape(const Shape& shape) noexcept;

// Row i := share row i + (1 - share) row j, and so their targets; share ~ Beta(alpha,
// alpha).
struct Mixup {
    static constexpr const char* kKind = "mixup";
    double alpha = 0.2;
    static constexpr auto fields() { return std::tuple{field("alpha", &Mixup::alpha)}; }
    bool operator==(const Mixup&) const = default;
    void validate() const { require_positive("alpha", alpha); }
};

// x + std n, n standard normal
struct Noise {
    static constexpr const char* kKind = "noise";
    double std = 0;
    static constexpr auto fields() { return std::tuple{field("std", &Noise::std)}; }
    bool operator==(const Noise&) const = default;
    void validate() const { require_not_negative("std", std); }
};

// x + u, u uniform in [-limit, limit), one for the row
struct Brightness {
    static constexpr const char* kKind = "brightness";
    double limit = 0;
    static constexpr auto fields() {
        return std::tuple{field("limit", &Brightness::limit)};
    }
    bool operator==(const Brightness&) const = default;
    void validate() const { require_not_negative("limit", limit); }
};

// m + (1 + u) (x - m), m the row's mean, u uniform in [-limit, limit)
struct Contrast {
    static constexpr const char* kKind = "contrast";
    double limit = 0;
    static constexpr auto fields() {
        return std::tuple{field("limit", &Contrast::limit)};
    }
    bool operator==(const Contrast&) const = default;
    void validate() const { require_fraction("limit", limit); }
};

struct Flip {
    static constexpr const char* kKind = "flip";
    bool horizontal = true;
    bool vertical = false;
    double p = 0.5;
    Shape shape;
    static constexpr auto fields() {
        return std::tuple{field("horizontal", &Flip::horizontal),
                          field("vertical", &Flip::vertical), field("p", &Flip::p),
                          field("shape", &Flip::shape)};
    }
    bool operator==(const Flip&) const = default;
    void validate() const;
};

struct Shift {
    static constexpr const char* kKind = "shift";
    double limit = 1;  // in pixels; below 1: in parts of height and width
    double fill = 0;
    Shape shape;
    static constexpr auto fields() {
        return std::tuple{field("limit", &Shift::limit), field("fill", &Shift::fill),
                          field("shape", &Shift::shape)};
    }
    bool operator==(const Shift&) const = default;
    void validate() const;
    Index pixels(Index extent) const noexcept;
};

struct Rotate {
    static constexpr const char* kKind = "rotate";
    double degrees = 0;
    double fill = 0;
    Shape shape;
    static constexpr auto fields() {
        return std::tuple{field("degrees", &Rotate::degrees),
                          field("fill", &Rotate::fill), field("shape", &Rotate::shape)};
    }
    bool operator==(const Rotate&) const = default;
    void validate() const;
};

struct Crop {
    static constexpr const char* kKind = "crop";
    std::vector<double> scale{0.8, 1.0};  // least and greatest part of the area
    Shape shape;
    static constexpr auto fields() {
        return std::tuple{field("scale", &Crop::scale), field("shape", &Crop::shape)};
    }
    bool operator==(const Crop&) const = default;
    void validate() const;
};

struct Cutout {
    static constexpr const char* kKind = "cutout";
    Index size = 1;
    double fill = 0;
    Shape shape;
    static constexpr auto fields() {
        return std::tuple{field("size", &Cutout::size), field("fill", &Cutout::fill),
                          field("shape", &Cutout::shape)};
    }
    bool operator==(const Cutout&) const = default;
    void validate() const;
};

}  // namespace augment

using Augment = std::variant<augment::Mixup,
                             augment::Noise,
                             augment::Brightness,
                             augment::Contrast,
                             augment::Flip,
                             augment::Shift,
                             augment::Rotate,
                             augment::Crop,
                             augment::Cutout>;

}  // namespace fastnn
