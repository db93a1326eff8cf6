// What a training run is told. Defaults stand beside the fields, ranges are checked
// once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fastnn/core/error.hpp"
#include "fastnn/nn/augment_spec.hpp"
#include "fastnn/nn/loss.hpp"
#include "fastnn/nn/regularizer.hpp"
#include "fastnn/optim/method.hpp"
#include "fastnn/optim/schedule.hpp"
#include "fastnn/train/averaging.hpp"
#include "fastnn/train/early_stopping.hpp"
#include "fastnn/train/gradient_noise.hpp"

namespace fastnn {

// See other_schedules.hpp.
struct OtherSchedulesConfig {
    std::optional<optim::Schedule> weight_decay;
    std::optional<optim::Schedule> momentum;
    std::optional<optim::Schedule> dropout;

    bool none() const noexcept { return !weight_decay && !momentum && !dropout; }
};

// How each step is made.
struct TrainerConfig {
    Loss loss;
    optim::Method optimizer;
    std::optional<optim::Schedule> schedule;  // of the learning rate
    OtherSchedulesConfig other_schedules;
    Penalty penalty;
    // Whether the penalty is divided by the weight of the batch (so that it counts as
    // so many rows do, scikit-learn's rule) and reported beside the loss.
    bool penalty_per_row = false;
    std::optional<double> max_norm;    // of each unit's incoming weights
    std::optional<double> clip_norm;   // of the whole gradient
    std::optional<double> clip_value;  // of each element of the gradient
    std::optional<GradientNoise> gradient_noise;
    int n_threads = 0;  // 0: automatic

    Penalty penalty_in_batch(double total_weight) const noexcept {
        return penalty_per_row ? penalty.over(total_weight) : penalty;
    }

    void validate() const {
        require_not_negative("l1", penalty.l1);
        require_not_negative("l2", penalty.l2);
        if (max_norm) require_positive("max_norm", *max_norm);
        if (clip_norm) require_positive("clip_norm", *clip_norm);
        if (clip_value) require_positive("clip_value", *clip_value);
        require(n_threads >= 0, "n_threads", n_threads, "an integer >= 1, or None");
    }
};

// How one call of fit runs.
struct FitConfig {
    static constexpr const char* kKind = "fit";
    Index epochs = 10;
    Index batch_size = 128;  // more than there are samples: all of them
    bool shuffle = true;
    std::vector<std::string> metrics;
    std::optional<EarlyStopping> early_stopping;
    std::optional<Averaging> averaging;
    std::vector<Augment> augment;  // of training rows, in this order
    static constexpr auto fields() {
        return std::tuple{field("epochs", &FitConfig::epochs),
                          field("batch_size", &FitConfig::batch_size),
                          field("shuffle", &FitConfig::shuffle),
                          field("metrics", &FitConfig::metrics),
                          field("early_stopping", &FitConfig::early_stopping),
                          field("averaging", &FitConfig::averaging),
                          field("augment", &FitConfig::augment)};
    }
    void validate() const {
        require(epochs >= 1, "epochs", epochs, "an integer >= 1");
        require(batch_size >= 1, "batch_size", batch_size, "an integer >= 1");
    }
};

}  // namespace fastnn
