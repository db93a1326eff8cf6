#include "fastnn/nn/inference.hpp"

#include <algorithm>
#include <atomic>

#include "fastnn/core/threads.hpp"
#include "fastnn/kernels/reduce.hpp"
#include "fastnn/kernels/softmax.hpp"

namespace fastnn {
namespace {

// About 50 microseconds of a core: what a thread must save to be worth its start.
constexpr double kWorthAThread = 4e6;

// Memory of this thread for packed weights, kept between calls unless it is large: for
// a few rows new memory would cost more than packing and predicting.
template <class T>
class PanelRoom {
public:
    PanelRoom() = default;
    ~PanelRoom() {
        constexpr Index kKept = 4 << 20;  // bytes
        if (kept().size() * static_cast<Index>(sizeof(T)) > kKept) kept() = Buffer<T>();
    }
    PanelRoom(const PanelRoom&) = delete;
    PanelRoom& operator=(const PanelRoom&) = delete;

    static Buffer<T>& kept() {
        thread_local Buffer<T> room;
        return room;
    }
};

template <class T>
const Activation& own_activation(const Layer<T>& layer) {
    static const Activation identity = activation::Identity{};
    return std::visit(
        [&]<class L>(const L& l) -> const Activation& {
            if constexpr (std::is_reference_v<decltype(l.activation())>) {
                return l.activation();
            } else {
                return identity;  // it has none
            }
        },
        layer);
}

// The layer that reads sparse rows where they lie: the first that does anything, if it
// is dense, not beyond `last`, and the only one that reads them.
template <class T>
Index sparse_reader(const Network<T>& network, Index last) {
    const auto alone = [&](Index k) {
        return network.wiring().readers(network.wiring().input_of(k)) == 1;
    };
    Index k = 0;
    while (k <= last && alone(k) && network.inference_plan().step(k).idle) ++k;
    const bool dense =
        k <= last && alone(k) &&
        std::holds_alternative<Dense<T>>(network.layers()[static_cast<std::size_t>(k)]);
    return dense ? k : PackedWeights<T>::kNone;
}

// Columns of the widest matrix that a buffer must hold: the features are one of them
// if they are sparse and must be written out.
template <class T>
Index widest(const Network<T>& network) {
    const auto n = static_cast<Index>(network.layers().size());
    const bool written_out = sparse_reader(network, n - 1) == PackedWeights<T>::kNone;
    Index width = written_out ? network.in_features() : 1;
    for (const Layer<T>& layer : network.layers()) {
        width =
            std::max(width, std::visit([](const auto& l) { return l.width(); }, layer));
    }
    return width;
}

// The layer whose weights are not worth packing for rows with so few nonzeros: not one
// with weight normalisation, which has to make them anyway.
template <class T>
Index not_worth_packing(const Network<T>& network,
                        typename Network<T>::Depth depth,
                        const Features<T>& x) {
    constexpr Index kScattered = 16;  // packed weights in the time of one looked up
    const bool few = x.is_sparse() && x.sparse.nonzeros().size * kScattered < x.cols;
    const Index k =
        few ? sparse_reader(network, depth.layers - 1) : PackedWeights<T>::kNone;
    if (k == PackedWeights<T>::kNone) return k;
    const auto& dense =
        std::get<Dense<T>>(network.layers()[static_cast<std::size_t>(k)]);
    return dense.has_weight_norm() ? PackedWeights<T>::kNone : k;
}

template <class T>
bool is_finite(const Features<T>& x) {
    return all_finite(x.is_sparse() ? x.sparse.nonzeros() : flat(x.dense));
}

int useful_threads(double work, Index tiles, int n_threads) {
    const double useful = std::min(static_cast<double>(tiles), work / kWorthAThread);
    if (useful < 2) return 1;
    return static_cast<int>(
        std::min(useful, static_cast<double>(resolve_threads(n_threads))));
}

template <class T>
void apply(Link link, MatrixView<T> y) {
    static const Activation sigmoid = activation::Sigmoid{};
    if (link == Link::kSoftmax) softmax_rows(y);
    if (link == Link::kSigmoid)
        activation_forward<T>(sigmoid, flat<const T>(y), flat(y));
}

}  // namespace

template <class T>
InferenceWorkspace<T>::InferenceWorkspace(const Network<T>& network, Index rows) {
    const Index height = std::min(rows, kTileHeight);
    size_ = height * padded_stride<T>(widest(network));
    buffers_.resize(network.inference_plan().buffers() * size_);
}

template <class T>
MatrixView<const T> InferenceWorkspace<T>::output_of(const Network<T>& network,
                                                     Index source,
                                                     const Features<T>& x) noexcept {
    if (source == kFeatures) return x.is_sparse() ? buffer(0, x.rows, x.cols) : x.dense;
    const Index cols = std::visit([](const auto& l) { return l.width(); },
                                  network.layers()[static_cast<std::size_t>(source)]);
    return buffer(network.inference_plan().step(source).buffer, x.rows, cols);
}

template <class T>
MatrixView<const T> InferenceWorkspace<T>::run(const Network<T>& network,
                                               const State<T>& state,
                                               typename Network<T>::Depth depth,
                                               const Features<T>& x,
                                               MatrixView<T> y) {
    static const Activation identity = activation::Identity{};
    const InferencePlan& plan = network.inference_plan();
    const Index last = plan.resolve(depth.layers - 1);  // that writes

    const Index reader =
        x.is_sparse() ? sparse_reader(network, last) : PackedWeights<T>::kNone;
    if (x.is_sparse() && reader == PackedWeights<T>::kNone) {
        write_out(x.sparse, buffer(0, x.rows, x.cols));
    }
    for (Index k = 0; k <= last; ++k) {
        const InferencePlan::Step& step = plan.step(k);
        if (step.idle) continue;
        const Layer<T>& layer = network.layers()[static_cast<std::size_t>(k)];
        const bool activate = k + 1 < depth.layers || depth.last_activation;
        const Activation& f = activate ? own_activation(layer) : identity;
        const bool into_y = k == last && y.data;
        std::visit(
            [&]<class L>(const L& l) {
                const MatrixView<T> out =
                    into_y ? y : buffer(step.buffer, x.rows, l.width());
                const auto input = [&] { return output_of(network, step.input, x); };
                if constexpr (std::is_same_v<L, Dense<T>>) {
                    if (k == reader) return l.infer(state, f, x.sparse, out);
                }
                if constexpr (std::is_same_v<L, Add<T>>) {
                    l.infer(f, output_of(network, step.skip, x), input(), out);
                } else {
                    l.infer(state, f, input(), out);
                }
            },
            layer);
        if (into_y) return y;
    }
    return output_of(network, last, x);
}

template <class T>
bool infer(const Network<T>& network,
           typename Network<T>::Depth depth,
           Link link,
           const Features<T>& x,
           MatrixView<T> y,
           int n_threads) {
    const Index height = std::min(x.rows, InferenceWorkspace<T>::kTileHeight);
    const Index tiles = ceil_div(x.rows, std::max<Index>(height, 1));
    const int threads = useful_threads(inference_work(network, x), tiles, n_threads);
    std::vector<InferenceWorkspace<T>> workspaces;
    workspaces.reserve(static_cast<std::size_t>(threads));
    for (int rank = 0; rank < threads; ++rank) workspaces.emplace_back(network, height);

    const PanelRoom<T> room;
    PackedWeights<T> weights(network, room.kept());
    weights.pack_all(threads, not_worth_packing(network, depth, x));
    const State<T> state = weights.state();

    std::atomic<bool> finite{true};
    parallel_for(threads, tiles, [&](Index tile, int rank) {
        const Range rows = tile_range(tile, height, x.rows);
        const Features<T> x_tile = x.row_slice(rows);
        const MatrixView<T> y_tile = y.row_slice(rows);
        if (!is_finite(x_tile)) finite.store(false, std::memory_order_relaxed);
        const MatrixView<const T> outputs =
            workspaces[static_cast<std::size_t>(rank)].run(network, state, depth,
                                                           x_tile, y_tile);
        if (outputs.data != y_tile.data) copy_rows<T>(outputs, y_tile);
        apply(link, y_tile);
    });
    return finite.load();
}

template class InferenceWorkspace<float>;
template class InferenceWorkspace<double>;
template bool infer<float>(const Network<float>&,
                           Network<float>::Depth,
                           Link,
                           const Features<float>&,
                           MatrixView<float>,
                           int);
template bool infer<double>(const Network<double>&,
                            Network<double>::Depth,
                            Link,
                            const Features<double>&,
                            MatrixView<double>,
                            int);

}  // namespace fastnn
