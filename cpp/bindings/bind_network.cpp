// Networks: building, inference, evaluation, gradients.
#include <optional>

#include <pybind11/stl.h>

#include "bindings/bound_network.hpp"
#include "bindings/custom_loss.hpp"
#include "bindings/new_object.hpp"
#include "bindings/nn_from_dict.hpp"
#include "bindings/running.hpp"
#include "fastnn/core/rng.hpp"
#include "fastnn/core/threads.hpp"
#include "fastnn/nn/gradients.hpp"
#include "fastnn/nn/inference.hpp"
#include "fastnn/train/evaluation.hpp"

namespace fastnn::bindings {

namespace {

template <class T>
DenseArray<T> dense_array(const char* name, const py::object& value, py::ssize_t ndim) {
    if (!py::isinstance<DenseArray<T>>(value)) {
        throw py::type_error(std::string(name) +
                             " must be a C-contiguous array of the network's dtype");
    }
    auto array = py::reinterpret_borrow<DenseArray<T>>(value);
    require(array.ndim() == ndim, std::string("the number of dimensions of ") + name,
            array.ndim(), std::to_string(ndim));
    return array;
}

template <class T>
MatrixView<const T> matrix_of(const DenseArray<T>& a) {
    return {a.data(), a.shape(0), a.shape(1)};
}

// The rows of X, which must outlive them: a dense array, or sparse rows (bind_csr.cpp).
template <class T>
Features<T> features(const Network<T>& network, const py::object& x) {
    // Arrays are told first, and fast: a prediction of one row takes a microsecond.
    const bool sparse =
        !py::isinstance<DenseArray<T>>(x) && py::isinstance<BoundCsr<T>>(x);
    const Features<T> rows = sparse
                                 ? Features<T>(py::cast<const BoundCsr<T>&>(x).view())
                                 : Features<T>(matrix_of(dense_array<T>("X", x, 2)));
    require(rows.cols == network.in_features(), "the number of columns of X", rows.cols,
            std::to_string(network.in_features()) + ", the network's in_features");
    return rows;
}

// A view of some numbers of the network that keeps it alive.
template <class U>
py::array view_of(U* data, std::vector<Index> shape, const py::object& owner) {
    return py::array_t<U>(std::move(shape), data, owner);
}

template <class T>
py::list tensors(const py::object& self) {
    Network<T>& network = py::cast<BoundNetwork<T>&>(self).network;
    py::list result;
    for (const Tensor& t : network.tensors().tensors()) {
        const Index at = t.range.begin;
        const bool trainable = t.storage == Storage::kParameters;
        py::array array = t.storage == Storage::kParameters
                              ? view_of(network.parameters().data() + at, t.shape, self)
                          : t.storage == Storage::kStatistics
                              ? view_of(network.statistics().data() + at, t.shape, self)
                              : view_of(network.counters().data() + at, t.shape, self);
        result.append(py::make_tuple(t.name, array, trainable));
    }
    return result;
}

// Copies of all tensors by name, which no training changes meanwhile.
template <class T>
py::dict state(const py::object& self) {
    const Usage::Reading reading(py::cast<BoundNetwork<T>&>(self).usage);
    py::dict result;
    for (const py::handle tensor : tensors<T>(self)) {
        const auto entry = py::reinterpret_borrow<py::tuple>(tensor);
        result[entry[0]] = entry[1].attr("copy")();
    }
    return result;
}

// Overwrites the tensors that `given` names; Python has checked names and shapes.
template <class T>
void assign(const py::object& self, const py::dict& given) {
    const Usage::Writing writing(py::cast<BoundNetwork<T>&>(self).usage);
    for (const py::handle tensor : tensors<T>(self)) {
        const auto entry = py::reinterpret_borrow<py::tuple>(tensor);
        if (given.contains(entry[0])) {
            entry[1].attr("__setitem__")(py::ellipsis(), given[entry[0]]);
        }
    }
}

Link link_named(const std::string& name) {
    if (name == "softmax") return Link::kSoftmax;
    require(name == "sigmoid", "link", "'" + name + "'", "'softmax' or 'sigmoid'");
    return Link::kSigmoid;
}

// The outputs, or None if X holds NaN or infinity: Python says where.
template <class T>
py::object predict(BoundNetwork<T>& self,
                   const py::object& x,
                   typename Network<T>::Depth depth,
                   Index width,
                   Link link,
                   int n_threads) {
    constexpr double kWorthReleasing = 1e6;  // some microseconds
    const Features<T> rows = features(self.network, x);
    py::array_t<T> y({rows.rows, width});
    const MatrixView<T> out{y.mutable_data(), rows.rows, width};
    const Usage::Reading reading(self.usage);
    std::optional<ReleasedGil> release;
    if (inference_work(self.network, rows) > kWorthReleasing) release.emplace();
    const bool finite = infer<T>(self.network, depth, link, rows, out, n_threads);
    release.reset();
    if (!finite) return py::none();
    return y;
}

template <class T>
py::object predict_all(BoundNetwork<T>& self, const py::object& x, int n_threads) {
    return predict(self, x, self.network.whole(), self.network.out_features(),
                   Link::kNone, n_threads);
}

template <class T>
py::object probabilities(BoundNetwork<T>& self,
                         const py::object& x,
                         const std::string& link,
                         int n_threads) {
    return predict(self, x, self.network.whole(), self.network.out_features(),
                   link_named(link), n_threads);
}

template <class T>
py::object hidden(BoundNetwork<T>& self,
                  const py::object& x,
                  Index layer,
                  int n_threads) {
    const auto depth = self.network.depth_of(layer);
    const auto& widths = self.network.widths();
    const auto position = static_cast<std::size_t>(
        layer < 0 ? layer + static_cast<Index>(widths.size()) : layer);
    return predict(self, x, depth, widths[position], Link::kNone, n_threads);
}

template <class T>
py::dict evaluate(BoundNetwork<T>& self,
                  const py::object& x,
                  const py::object& y,
                  const py::object& w,
                  const py::dict& loss_dict,
                  const std::vector<std::string>& names,
                  int n_threads) {
    const Loss loss = loss_from_dict(loss_dict);
    const BoundSamples<T> data = bind_samples(self.network, x, y, w, loss_dict);
    const int threads = resolve_threads(n_threads);
    double value = 0;
    std::vector<double> scores;
    {
        const Usage::Reading reading(self.usage);
        const ReleasedGil released;
        PackedWeights<T> weights(self.network);
        weights.pack_all(threads);
        Evaluation<T> evaluation(self.network, weights, loss, metrics_for(names, loss),
                                 data.samples, threads);
        parallel_for(threads, evaluation.tiles(),
                     [&](Index tile, int rank) { evaluation.run(tile, rank); });
        value = evaluation.loss();
        scores = evaluation.metrics();
    }
    py::dict result;
    result["loss"] = value;
    for (std::size_t i = 0; i < names.size(); ++i) result[names[i].c_str()] = scores[i];
    return result;
}

template <class T>
py::tuple gradients(BoundNetwork<T>& self,
                    const py::object& x,
                    const py::object& y,
                    const py::object& w,
                    const py::dict& loss_dict,
                    bool training,
                    double l1,
                    double l2,
                    int n_threads) {
    const Loss loss = loss_from_dict(loss_dict);
    const BoundSamples<T> data = bind_samples(self.network, x, y, w, loss_dict);
    require_not_negative("l1", l1);
    require_not_negative("l2", l2);
    py::array_t<T> gradient(self.network.parameters().size());
    T* out = gradient.mutable_data();
    const int threads = resolve_threads(n_threads);
    double value = 0;
    {
        const Usage::Reading reading(self.usage);
        const ReleasedGil released;
        value = loss_and_gradients<T>(self.network, loss, data.samples, training,
                                      {l1, l2}, threads, out);
    }
    return py::make_tuple(value, gradient);
}

template <class T>
py::object new_network(Network<T> network) {
    py::object object = new_object<BoundNetwork<T>>();
    py::cast<BoundNetwork<T>&>(object).network = std::move(network);
    return object;
}

template <class T>
py::object copy_of(BoundNetwork<T>& self) {
    const Usage::Reading reading(self.usage);
    return new_network<T>(self.network);
}

template <class T>
void freeze(BoundNetwork<T>& self, const std::vector<Index>& positions) {
    const Usage::Writing writing(self.usage);
    self.network.freeze(positions);
}

template <class T>
void register_network(py::module_& m, const char* name) {
    using Bound = BoundNetwork<T>;
    py::class_<Bound>(m, name, py::module_local())
        .def(py::init<>())
        .def("tensors", &tensors<T>)
        .def("state", &state<T>)
        .def("assign", &assign<T>, py::arg("given"))
        .def_property_readonly("parameters",
                               [](const py::object& self) {
                                   Buffer<T>& p =
                                       py::cast<Bound&>(self).network.parameters();
                                   return view_of(p.data(), {p.size()}, self);
                               })
        .def_property_readonly(
            "n_parameters",
            [](const Bound& b) { return b.network.parameters().size(); })
        .def("freeze", &freeze<T>, py::arg("positions"),
             "Freezes the layers written there, and no others.")
        .def_property_readonly(
            "n_trained", [](const Bound& b) { return b.network.trained_parameters(); },
            "Parameters of layers that are not frozen.")
        .def_property_readonly("in_features",
                               [](const Bound& b) { return b.network.in_features(); })
        .def_property_readonly("out_features",
                               [](const Bound& b) { return b.network.out_features(); })
        .def_property_readonly("layer_widths",
                               [](const Bound& b) { return b.network.widths(); })
        .def_property(
            "progress",
            [](const Bound& b) {
                const auto& p = b.network.progress();
                return py::make_tuple(p.epochs, p.steps);
            },
            [](Bound& b, const std::pair<std::int64_t, std::int64_t>& p) {
                b.network.progress() = {p.first, p.second};
            },
            "(epochs, steps) trained so far: they key shuffles and dropout masks.")
        .def("copy", &copy_of<T>)
        .def("predict", &predict_all<T>, py::arg("X"), py::arg("n_threads") = 0)
        .def("probabilities", &probabilities<T>, py::arg("X"), py::arg("link"),
             py::arg("n_threads") = 0)
        .def("hidden", &hidden<T>, py::arg("X"), py::arg("layer"),
             py::arg("n_threads") = 0)
        .def("evaluate", &evaluate<T>, py::arg("X"), py::arg("targets"),
             py::arg("weights"), py::arg("loss"), py::arg("metrics"),
             py::arg("n_threads") = 0)
        .def("loss_and_gradients", &gradients<T>, py::arg("X"), py::arg("targets"),
             py::arg("weights"), py::arg("loss"), py::arg("training"), py::arg("l1"),
             py::arg("l2"), py::arg("n_threads") = 0);
}

py::array permutation_array(Index n,
                            std::uint64_t seed,
                            std::uint32_t epoch,
                            std::uint32_t purpose) {
    require(n >= 0, "n", n, "an integer >= 0");
    py::array_t<Index> order(n);
    permutation({order.mutable_data(), n}, seed, static_cast<Purpose>(purpose), epoch);
    return order;
}

}  // namespace

template <class T>
BoundSamples<T> bind_samples(const Network<T>& network,
                             const py::object& x,
                             const py::object& y,
                             const py::object& w,
                             const py::dict& loss) {
    using Labels = DenseArray<std::int32_t>;
    BoundSamples<T> bound{x, y, std::nullopt, nullptr, {}};
    bound.samples.x = features(network, x);
    const Index n = bound.samples.x.rows;
    require(n >= 1, "the number of rows of X", n, "at least 1");
    Index n_targets = 0;
    if (loss.contains("judge")) {
        bound.judge = std::make_unique<Judge<T>>(judge_of<T>(loss["judge"], y));
        bound.samples.targets.judge = bound.judge.get();
    }
    if (bound.judge && text(loss["targets"]) == "any") {
        n_targets = static_cast<Index>(py::len(y));
    } else if (py::isinstance<Labels>(y) && py::cast<Labels>(y).ndim() == 1) {
        const auto labels = py::reinterpret_borrow<Labels>(y);
        n_targets = labels.size();
        bound.samples.targets.labels = {labels.data(), n_targets};
        for (Index i = 0; i < n_targets; ++i) {
            const std::int32_t label = labels.data()[i];
            if (label >= 0 && label < network.out_features()) continue;
            require(false, "y[" + std::to_string(i) + "]", label,
                    "a class from 0 to " + std::to_string(network.out_features() - 1));
        }
    } else {
        const DenseArray<T> values = dense_array<T>("y", y, 2);
        n_targets = values.shape(0);
        const Index width = target_width(loss_from_dict(loss), network.out_features());
        require(values.shape(1) == width, "the number of columns of y", values.shape(1),
                std::to_string(width) + ", by the network's outputs");
        bound.samples.targets.values = matrix_of(values);
    }
    require(n_targets == n, "the number of targets", n_targets,
            std::to_string(n) + ", one for each row of X");
    if (!w.is_none()) {
        bound.w = dense_array<T>("sample_weight", w, 1);
        require(bound.w->size() == n, "the number of weights", bound.w->size(),
                std::to_string(n) + ", one for each row of X");
        bound.samples.weights = {bound.w->data(), n};
    }
    return bound;
}

template BoundSamples<float> bind_samples<float>(const Network<float>&,
                                                 const py::object&,
                                                 const py::object&,
                                                 const py::object&,
                                                 const py::dict&);
template BoundSamples<double> bind_samples<double>(const Network<double>&,
                                                   const py::object&,
                                                   const py::object&,
                                                   const py::object&,
                                                   const py::dict&);

void register_networks(py::module_& m) {
    register_network<float>(m, "NetworkF32");
    register_network<double>(m, "NetworkF64");
    m.def(
        "Network",
        [](const std::string& dtype, const py::list& layers, Index in_features,
           std::uint64_t seed) -> py::object {
            if (dtype == "float64") {
                return new_network(
                    Network<double>(layers_from_dicts(layers), in_features, seed));
            }
            require(dtype == "float32", "dtype", "'" + dtype + "'",
                    "'float32' or 'float64'");
            return new_network(
                Network<float>(layers_from_dicts(layers), in_features, seed));
        },
        py::arg("dtype"), py::arg("layers"), py::arg("in_features"), py::arg("seed"),
        "A network of this dtype with freshly initialised parameters.");
    m.def(
        "check_layer", [](const py::dict& d) { layer_from_dict(d); }, py::arg("layer"));
    m.def("check_loss", [](const py::dict& d) { loss_from_dict(d); }, py::arg("loss"));
    m.def("permutation", &permutation_array, py::arg("n"), py::arg("seed"),
          py::arg("epoch"), py::arg("purpose") = static_cast<int>(Purpose::kShuffle),
          "0 .. n - 1 in the random order of (seed, purpose, epoch).");
}

}  // namespace fastnn::bindings
