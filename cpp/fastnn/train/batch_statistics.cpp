#include "fastnn/train/batch_statistics.hpp"

#include <algorithm>

#include "fastnn/core/threads.hpp"

namespace fastnn {
namespace {

template <class T>
class StatisticsJob {
public:
    StatisticsJob(Network<T>& network,
                  BatchPass<T>& pass,
                  const Samples<T>& samples,
                  const std::function<bool()>& interrupted)
        : network_(network),
          pass_(pass),
          samples_(samples),
          order_(samples.size()),
          asks_(interrupted) {
        for (Index i = 0; i < order_.size(); ++i) order_[i] = i;
        begin_batch();
    }

    Index tiles() const { return pass_.tiles(); }
    void run(Index tile, int) { pass_.run_tile(phase_, tile); }
    bool interrupted() {
        stopped_ = stopped_ || (asks_ && asks_());
        return stopped_;
    }
    bool advance() {
        if (stopped_) return false;
        pass_.finish_phase(phase_);
        if (++phase_ < pass_.statistics_phases()) return true;
        if (batch_.size() > 1) {
            pass_.update_running(network_, 1.0 / static_cast<double>(++batches_));
        }
        if (batch_.end == samples_.size()) return false;
        begin_batch();
        return true;
    }
    bool stopped() const { return stopped_; }

private:
    // Masks of dropout are those of the steps that would come next.
    void begin_batch() {
        const auto step =
            static_cast<std::uint32_t>(network_.progress().steps + batches_);
        batch_ = {batch_.end, std::min(batch_.end + pass_.max_batch(), order_.size())};
        if (pass_.weights().masked()) {
            for (const ParameterTile& tile : network_.parameter_tiles()) {
                pass_.weights().mask(tile, network_.seed(), step);
            }
        }
        pass_.begin(samples_, order_.data() + batch_.begin, batch_.size(),
                    network_.seed(), step);
        phase_ = 0;
    }

    Network<T>& network_;
    BatchPass<T>& pass_;
    const Samples<T>& samples_;
    Buffer<Index> order_;
    const std::function<bool()>& asks_;
    Range batch_{0, 0};
    Index phase_ = 0;
    Index batches_ = 0;
    bool stopped_ = false;
};

template <class T>
void forget_statistics(Network<T>& network) {
    for (std::size_t k = 0; k < network.layers().size(); ++k) {
        const auto* norm = std::get_if<BatchNorm<T>>(&network.layers()[k]);
        if (!norm || network.frozen()[k]) continue;
        norm->forget_running(network.statistics().data(), network.counters().data());
    }
}

}  // namespace

template <class T>
bool renew_statistics(Network<T>& network,
                      const Samples<T>& samples,
                      const Loss& loss,
                      Index batch_size,
                      int n_threads,
                      const std::function<bool()>& interrupted) {
    const Index batch = std::min(batch_size, samples.size());
    if (network.counters().size() == 0 || batch < 2) return true;
    BatchPass<T> pass(network, loss, batch, /*training=*/true);
    if (pass.statistics_phases() == 0) return true;  // all are frozen
    pass.weights().pack_all(n_threads);
    StatisticsJob<T> job(network, pass, samples, interrupted);
    forget_statistics(network);
    run_job(n_threads, job);
    return !job.stopped();
}

template bool renew_statistics<float>(Network<float>&,
                                      const Samples<float>&,
                                      const Loss&,
                                      Index,
                                      int,
                                      const std::function<bool()>&);
template bool renew_statistics<double>(Network<double>&,
                                       const Samples<double>&,
                                       const Loss&,
                                       Index,
                                       int,
                                       const std::function<bool()>&);

}  // namespace fastnn
