// The state of a run as Python keeps it: a dict of flat arrays and plain numbers.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "bindings/bound_network.hpp"
#include "fastnn/train/fit_state.hpp"

namespace fastnn::bindings {

// The buffer itself, owned by the array from now on.
template <class U>
py::array_t<U> array_of(Buffer<U>&& buffer) {
    auto owned = std::make_unique<Buffer<U>>(std::move(buffer));
    U* data = owned->data();
    const Index size = owned->size();
    const py::capsule owner(owned.get(),
                            [](void* p) { delete static_cast<Buffer<U>*>(p); });
    owned.release();
    return py::array_t<U>({size}, data, owner);
}

template <class U>
Buffer<U> buffer_of(const char* name, const py::handle& value) {
    using Array = py::array_t<U, py::array::c_style>;
    if (!py::isinstance<Array>(value)) {
        throw py::type_error(std::string(name) +
                             " must be a C-contiguous array of the network's dtype");
    }
    const auto array = py::reinterpret_borrow<Array>(value);
    Buffer<U> buffer(array.size());
    std::copy_n(array.data(), array.size(), buffer.data());
    return buffer;
}

template <class T>
py::dict snapshot_dict(Snapshot<T>&& snapshot) {
    py::dict d;
    d["parameters"] = array_of(std::move(snapshot.parameters));
    d["statistics"] = array_of(std::move(snapshot.statistics));
    d["counters"] = array_of(std::move(snapshot.counters));
    return d;
}

template <class T>
Snapshot<T> snapshot_from_dict(const py::dict& d) {
    return {buffer_of<T>("parameters", d["parameters"]),
            buffer_of<T>("statistics", d["statistics"]),
            buffer_of<std::int64_t>("counters", d["counters"])};
}

template <class T>
py::dict trainer_state_dict(TrainerState<T>&& state) {
    py::dict slots;
    for (auto& [name, values] : state.slots) {
        slots[name.c_str()] = array_of(std::move(values));
    }
    const auto& p = state.plateau;
    py::dict d;
    d["epoch"] = state.epoch;
    d["step"] = state.step;
    d["slots"] = slots;
    d["lr"] = state.lr;
    d["plateau"] = py::make_tuple(p.lr, p.best, p.bad_epochs, p.cooldown_left);
    d["frozen"] = state.frozen;
    return d;
}

template <class T>
TrainerState<T> trainer_state_from_dict(const py::dict& d) {
    TrainerState<T> state;
    state.epoch = py::cast<std::int64_t>(d["epoch"]);
    state.step = py::cast<std::int64_t>(d["step"]);
    for (const auto& [name, values] : py::cast<py::dict>(d["slots"])) {
        auto key = py::cast<std::string>(name);
        Buffer<T> buffer = buffer_of<T>(key.c_str(), values);
        state.slots.emplace_back(std::move(key), std::move(buffer));
    }
    state.lr = py::cast<double>(d["lr"]);
    const auto [lr, best, bad_epochs, cooldown_left] =
        py::cast<std::tuple<double, double, std::int64_t, std::int64_t>>(d["plateau"]);
    state.plateau = {lr, best, bad_epochs, cooldown_left};
    if (d.contains("frozen")) {  // a file has the network's own
        state.frozen = py::cast<std::vector<bool>>(d["frozen"]);
    }
    return state;
}

// Curves by name; every epoch has the same names.
inline py::dict curves_dict(const std::vector<Logs>& epochs) {
    py::dict curves;
    for (const Logs& logs : epochs) {
        for (const auto& [name, value] : logs) {
            if (!curves.contains(name)) curves[name.c_str()] = py::list();
            curves[name.c_str()].cast<py::list>().append(value);
        }
    }
    return curves;
}

inline std::vector<Logs> epochs_from_dict(const py::dict& curves, Index n) {
    std::vector<Logs> epochs(static_cast<std::size_t>(n));
    for (const auto& [name, values] : curves) {
        const auto curve = py::cast<std::vector<double>>(values);
        require(static_cast<Index>(curve.size()) == n, "the epochs of a curve",
                curve.size(), std::to_string(n));
        for (std::size_t i = 0; i < curve.size(); ++i) {
            epochs[i].emplace_back(py::cast<std::string>(name), curve[i]);
        }
    }
    return epochs;
}

template <class T>
py::dict fit_state_dict(FitState<T>&& state) {
    py::dict d;
    d["network"] = snapshot_dict(std::move(state.network));
    d["progress"] = py::make_tuple(state.progress.epochs, state.progress.steps);
    d["trainer"] = trainer_state_dict(std::move(state.trainer));
    d["epoch"] = state.epoch;
    d["steps"] = state.steps;
    d["stop"] = state.stop ? py::object(py::str(to_string(*state.stop))) : py::none();
    d["usual_loss"] = state.scale.usual_loss;
    d["first_square"] = state.scale.first_square;
    d["stopping"] = py::make_tuple(state.stopping.best, state.stopping.best_epoch,
                                   state.stopping.waited);
    d["best"] = state.best.empty() ? py::object(py::none())
                                   : snapshot_dict(std::move(state.best));
    py::dict average;
    average["count"] = state.average.count;
    average["parameters"] = array_of(std::move(state.average.parameters));
    average["statistics"] = array_of(std::move(state.average.statistics));
    d["average"] = average;
    d["curves"] = curves_dict(state.epochs);
    return d;
}

template <class T>
FitState<T> fit_state_from_dict(const py::dict& d) {
    FitState<T> state;
    state.network = snapshot_from_dict<T>(d["network"]);
    const auto [epochs, steps] =
        py::cast<std::pair<std::int64_t, std::int64_t>>(d["progress"]);
    state.progress = {epochs, steps};
    state.trainer = trainer_state_from_dict<T>(d["trainer"]);
    state.epoch = py::cast<Index>(d["epoch"]);
    state.steps = py::cast<std::int64_t>(d["steps"]);
    if (!d["stop"].is_none()) {
        state.stop = stop_reason_from(py::cast<std::string>(d["stop"]));
    }
    state.scale.usual_loss = py::cast<double>(d["usual_loss"]);
    state.scale.first_square = py::cast<double>(d["first_square"]);
    const auto [best, best_epoch, waited] =
        py::cast<std::tuple<double, Index, Index>>(d["stopping"]);
    state.stopping = {best, best_epoch, waited};
    if (!d["best"].is_none()) state.best = snapshot_from_dict<T>(d["best"]);
    const py::dict average = d["average"];
    state.average = {py::cast<Index>(average["count"]),
                     buffer_of<T>("parameters", average["parameters"]),
                     buffer_of<T>("statistics", average["statistics"])};
    state.epochs = epochs_from_dict(d["curves"], state.epoch);
    return state;
}

}  // namespace fastnn::bindings
