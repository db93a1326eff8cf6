// Training: the border is crossed once per fit, plus one hook an epoch.
#include <optional>

#include <pybind11/stl.h>

#include "bindings/bound_network.hpp"
#include "bindings/fit_state_dict.hpp"
#include "bindings/new_object.hpp"
#include "bindings/nn_from_dict.hpp"
#include "bindings/optim_from_dict.hpp"
#include "bindings/signal_watch.hpp"
#include "fastnn/core/threads.hpp"
#include "fastnn/train/trainer.hpp"

namespace fastnn::bindings {
namespace {

OtherSchedulesConfig other_schedules(const py::dict& d) {
    OtherSchedulesConfig config;
    for (const auto& [name, schedule] : d) {
        const auto key = py::cast<std::string>(name);
        auto& field = key == "weight_decay" ? config.weight_decay
                      : key == "momentum"   ? config.momentum
                                            : config.dropout;
        require(&field != &config.dropout || key == "dropout", "schedule",
                "'" + key + "'", "of 'lr', 'weight_decay', 'momentum' or 'dropout'");
        field = schedule_from_dict(py::reinterpret_borrow<py::dict>(schedule));
    }
    return config;
}

std::optional<GradientNoise> gradient_noise_or_none(const py::object& noise) {
    if (noise.is_none()) return std::nullopt;
    return gradient_noise_from_dict(py::cast<py::dict>(noise));
}

TrainerConfig trainer_config(const py::dict& d) {
    TrainerConfig config{
        .loss = loss_from_dict(d["loss"]),
        .optimizer = method_from_dict(d["optimizer"]),
        .schedule = schedule_or_none(d["schedule"]),
        .other_schedules = other_schedules(d["other_schedules"]),
        .penalty = {py::cast<double>(d["l1"]), py::cast<double>(d["l2"])},
        .penalty_per_row = py::cast<bool>(d["penalty_per_row"]),
        .max_norm = py::cast<std::optional<double>>(d["max_norm"]),
        .clip_norm = py::cast<std::optional<double>>(d["clip_norm"]),
        .clip_value = py::cast<std::optional<double>>(d["clip_value"]),
        .gradient_noise = gradient_noise_or_none(d["gradient_noise"]),
        .n_threads = py::cast<int>(d["n_threads"])};
    config.validate();
    return config;
}

py::dict logs_dict(const Logs& logs) {
    py::dict d;
    for (const auto& [name, value] : logs) d[name.c_str()] = value;
    return d;
}

py::object divergence_dict(const std::optional<Divergence>& where) {
    if (!where) return py::none();
    py::dict at;
    at["epoch"] = where->epoch;
    at["step"] = where->step;
    at["lr"] = where->lr;
    at["what"] = where->what;
    return at;
}

py::dict report(const History& history) {
    py::dict d;
    d["history"] = curves_dict(history.epochs);
    d["best_epoch"] = history.best_epoch;
    d["stop_reason"] = to_string(history.stop_reason);
    d["diverged"] = divergence_dict(history.divergence);
    return d;
}

template <class T>
class BoundTrainer {
public:
    // Before all else; apart from the constructor for new_object's sake.
    void begin(const py::object& network, const py::dict& config) {
        owner_ = network;
        loss_ = config["loss"];
        bound_ = py::cast<BoundNetwork<T>*>(network);
        trainer_.emplace(bound_->network, trainer_config(config));
    }

    // (mean loss, None or where and how the step diverged)
    py::tuple step(const py::object& x,
                   const py::object& y,
                   const py::object& w,
                   const std::vector<Augment>& augment) {
        const BoundSamples<T> batch = bind_samples(bound_->network, x, y, w, loss_);
        const Usage::Writing writing(bound_->usage);
        SignalWatch watch;
        const Hooks hooks{{}, [&] { return watch.raised(); }};
        const StepReport report =
            without_gil([&] { return trainer_->step(batch.samples, augment, hooks); });
        return py::make_tuple(report.loss, divergence_dict(report.divergence));
    }

    py::dict fit(const py::object& x,
                 const py::object& y,
                 const py::object& w,
                 const py::object& x_val,
                 const py::object& y_val,
                 const py::object& w_val,
                 const py::dict& config_dict,
                 const py::object& on_epoch,
                 const py::object& save,
                 Index every,
                 const py::object& from) {
        const auto config = fit_config_from_dict(config_dict);
        const BoundSamples<T> train = bind_samples(bound_->network, x, y, w, loss_);
        std::optional<BoundSamples<T>> validation;
        if (!x_val.is_none()) {
            validation = bind_samples(bound_->network, x_val, y_val, w_val, loss_);
        }
        SignalWatch watch;
        Hooks hooks{{}, [&] { return watch.raised(); }};
        Usage::Writing writing(bound_->usage);
        if (!on_epoch.is_none()) {
            hooks.on_epoch = [&](Index epoch, const Logs& logs) {
                return writing.pause([&] {  // a callback may use the network
                    const py::gil_scoped_acquire acquire;
                    return py::cast<bool>(py::bool_(on_epoch(epoch, logs_dict(logs))));
                });
            };
        }
        Checkpointing<T> checkpointing;
        if (!save.is_none()) {
            require(every >= 1, "every", every, "an integer >= 1");
            checkpointing.every = every;
            checkpointing.save = [&](FitState<T>&& state) {
                const py::gil_scoped_acquire acquire;
                save(fit_state_dict(std::move(state)));
            };
        }
        std::optional<FitState<T>> state;
        if (!from.is_none()) {
            state = fit_state_from_dict<T>(from);
            checkpointing.from = &*state;
        }
        const History history = without_gil([&] {
            return trainer_->fit(train.samples,
                                 validation ? &validation->samples : nullptr, config,
                                 hooks, checkpointing);
        });
        return report(history);
    }

    void set_learning_rate(double lr) {
        const Usage::Writing writing(bound_->usage);
        trainer_->set_learning_rate(lr);
    }

    Index evaluations() const noexcept { return trainer_->evaluations(); }

    py::dict state() {
        const Usage::Reading reading(bound_->usage);
        return trainer_state_dict(trainer_->state());
    }
    void restore(const py::dict& state) {
        const Usage::Writing writing(bound_->usage);
        trainer_->restore(trainer_state_from_dict<T>(state));
    }

private:
    py::object owner_;  // by ourselves: keep_alive breaks when memory runs out
    BoundNetwork<T>* bound_ = nullptr;
    py::dict loss_;
    std::optional<Trainer<T>> trainer_;
};

template <class T>
void register_trainer(py::module_& m, const char* name) {
    using Bound = BoundTrainer<T>;
    py::class_<Bound>(m, name, py::module_local())
        .def(py::init<>())
        .def("step", &Bound::step, py::arg("X"), py::arg("targets"), py::arg("weights"),
             py::arg("augment"))
        .def("set_learning_rate", &Bound::set_learning_rate, py::arg("lr"))
        .def("evaluations", &Bound::evaluations)
        .def("fit", &Bound::fit, py::arg("X"), py::arg("targets"), py::arg("weights"),
             py::arg("X_val"), py::arg("targets_val"), py::arg("weights_val"),
             py::arg("config"), py::arg("on_epoch"), py::arg("save") = py::none(),
             py::arg("every") = 1, py::arg("state") = py::none(),
             "save: called after every so many epochs, and the last, with the state of "
             "the fit, a dict; state: such a dict to go on from.")
        .def("state", &Bound::state, "What the trainer needs to go on, a dict.")
        .def("restore", &Bound::restore, py::arg("state"));
}

template <class T>
py::object make_trainer(const py::object& network, const py::dict& config) {
    py::object object = new_object<BoundTrainer<T>>();
    py::cast<BoundTrainer<T>&>(object).begin(network, config);
    return object;
}

}  // namespace

void register_trainers(py::module_& m) {
    register_trainer<float>(m, "TrainerF32");
    register_trainer<double>(m, "TrainerF64");
    m.def(
        "Trainer",
        [](const py::object& network, const py::dict& config) -> py::object {
            if (py::isinstance<BoundNetwork<double>>(network)) {
                return make_trainer<double>(network, config);
            }
            return make_trainer<float>(network, config);
        },
        py::arg("network"), py::arg("config"), "A trainer of this network.");
    m.def(
        "check_gradient_noise", [](const py::dict& d) { gradient_noise_from_dict(d); },
        py::arg("gradient_noise"));
    m.def("default_threads", &resolve_threads, py::arg("n_threads") = 0,
          "n_threads if positive, else the number used when none is given.");
    m.def("set_num_threads", &set_default_threads, py::arg("n"),
          "The number of threads used when none is given; 0: by the environment.");
}

}  // namespace fastnn::bindings
