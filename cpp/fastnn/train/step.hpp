// One step of training as a fit sees it, whichever optimizer makes it: begun with some
// rows, then run as stages over tiles (core/threads.hpp).
#pragma once

#include <cstdint>

#include "fastnn/nn/batch_pass.hpp"
#include "fastnn/train/step_settings.hpp"

namespace fastnn {

template <class T>
class Step {
public:
    virtual ~Step() = default;

    // Prepares a step on rows[0 .. n) of the samples (the first n when rows is null).
    // `key` tells its dropout masks from those of other steps.
    virtual void begin(const Samples<T>& samples,
                       const Index* rows,
                       Index n,
                       std::uint32_t key,
                       const StepSettings& settings,
                       MatrixView<T> outputs) = 0;  // (n, out) raw outputs, or empty
    // The step to begin packs the weights: somebody else may have changed them.
    virtual void pack_first() noexcept = 0;
    // The step to begin has other rows, though they may lie where the last ones did.
    virtual void forget_rows() noexcept {}

    // The current stage, for run_job.
    virtual Index tiles() const noexcept = 0;
    virtual void run(Index tile, int rank) = 0;
    // Whether the step may be dropped at this moment.
    virtual bool may_stop() const noexcept = 0;
    // Drops it: the parameters are as the last finished step or iteration left them.
    virtual void drop() noexcept = 0;

    // kConverged: done, and further steps on these rows would change nothing.
    // kNotFinite: the loss or its gradient is not.
    enum class Outcome { kMore, kDone, kConverged, kNotFinite };
    // Goes to the next stage.
    virtual Outcome advance() = 0;

    // Of the step's rows: sum of w l when it began and, where that is known, when it
    // ended; sum of w.
    virtual double first_loss() const noexcept = 0;
    virtual double last_loss() const noexcept = 0;
    virtual double total_weight() const noexcept = 0;
    // The penalty of the weights that last_loss() belongs to; 0 unless it is counted
    // per row.
    virtual double penalty() const noexcept = 0;

    // The network's weights, packed as they were read last.
    virtual const PackedWeights<T>& weights() const noexcept = 0;
    virtual Index max_batch() const noexcept = 0;  // most rows of a step
    virtual int ranks() const noexcept = 0;        // threads it has memory for
};

}  // namespace fastnn
