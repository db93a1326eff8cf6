// Whether a run has left what it could come back from, though its numbers may still be
// finite: float arithmetic holds losses and weights that are of no use to anybody.
#pragma once

#include <functional>
#include <string>

#include "fastnn/nn/batch_pass.hpp"
#include "fastnn/nn/packed_weights.hpp"

namespace fastnn {

// What a run is measured by.
struct DivergenceScale {
    double usual_loss = 0;    // of zero outputs or of the first batch, the greater
    double first_square = 0;  // squared norm of the parameters when the run began
};

template <class T>
class DivergenceWatch {
public:
    // All must outlive the watch. Once `interrupted` is true, answers mean nothing.
    DivergenceWatch(const Network<T>& network,
                    const Loss& loss,
                    const Samples<T>& train,
                    std::function<bool()> interrupted);

    void begin();  // before the first batch
    void saw_first_batch(double mean_loss) noexcept;
    // What is wrong after an epoch whose batches had this mean loss, or nothing.
    std::string trouble(double mean_loss, const PackedWeights<T>& weights) const;

    const DivergenceScale& scale() const noexcept { return scale_; }
    void restore(const DivergenceScale& scale) noexcept { scale_ = scale; }

private:
    double baseline_loss() const;
    double loss_by_inference(const PackedWeights<T>& weights) const;

    const Network<T>& network_;
    const Loss& loss_;
    const Samples<T>& train_;
    std::function<bool()> interrupted_;
    DivergenceScale scale_;
};

}  // namespace fastnn
