// Optimizers on plain NumPy arrays, and schedules.
#include <algorithm>
#include <array>

#include <pybind11/numpy.h>

#include "bindings/optim_from_dict.hpp"
#include "fastnn/core/threads.hpp"
#include "fastnn/optim/optimizer.hpp"

namespace fastnn::bindings {
namespace {

using optim::RunningRule;
using optim::Slot;
using optim::Slots;

// Below this many elements, handing the GIL over costs more than it gives.
constexpr Index kReleaseGilAbove = 1 << 14;

std::string type_name(const py::handle& object) {
    return py::cast<std::string>(py::type::of(object).attr("__name__"));
}

std::string text_of(const py::handle& object) {
    return py::cast<std::string>(py::str(object));
}

bool is_plain_array(const py::handle& object) {
    const auto* plain = py::detail::npy_api::get().PyArray_Type_;
    if (Py_TYPE(object.ptr()) == plain) return true;
    return py::isinstance<py::array>(object) && !py::hasattr(object, "mask");
}

bool has_flag(const py::array& a, int flag) { return (a.flags() & flag) != 0; }

bool repeats_elements(const py::array& a) {
    if (a.size() == 0) return false;
    for (py::ssize_t d = 0; d < a.ndim(); ++d) {
        if (a.shape(d) > 1 && a.strides(d) == 0) return true;
    }
    return false;
}

// One array argument of an update, and the dense array that stands for it.
struct Operand {
    std::string name;
    py::array given;
    py::array dense;

    // A NumPy array of T, or an error that names it.
    template <class T>
    static Operand of(const std::string& name, const py::handle& object) {
        if (!is_plain_array(object)) {
            throw py::type_error(name + " must be a plain NumPy array, got " +
                                 type_name(object));
        }
        auto array = py::reinterpret_borrow<py::array>(object);
        if (!py::isinstance<py::array_t<T>>(array)) {
            throw py::type_error(name + " must be of dtype " +
                                 text_of(py::dtype::of<T>()) +
                                 " as params is, got dtype " + text_of(array.dtype()));
        }
        return {name, array, array};
    }

    void require_shape_of(const Operand& params) const {
        const py::array& a = given;
        const py::array& p = params.given;
        if (a.ndim() == p.ndim() &&
            std::equal(a.shape(), a.shape() + a.ndim(), p.shape()))
            return;
        throw std::invalid_argument(name + " must have the shape of params, " +
                                    text_of(p.attr("shape")) + ", got " +
                                    text_of(a.attr("shape")));
    }

    void require_writable() const {
        if (!given.writeable()) {
            throw std::invalid_argument(
                name + " is read-only and would be updated in place: pass a copy");
        }
        if (repeats_elements(given)) {
            throw std::invalid_argument(name +
                                        " is a broadcast view whose elements share "
                                        "memory: pass a copy");
        }
    }

    bool is_aligned() const {
        return has_flag(given, py::detail::npy_api::NPY_ARRAY_ALIGNED_);
    }
    void make_dense(int order) {
        if (has_flag(given, order) && is_aligned()) return;
        dense =
            py::module_::import("numpy").attr("array")(given, py::arg("order") = "C");
    }
    void write_back() const {
        if (!dense.is(given)) given[py::ellipsis()] = dense;
    }

    const char* begin() const { return static_cast<const char*>(dense.data()); }
    const char* end() const { return begin() + dense.nbytes(); }
    bool overlaps(const Operand& other) const {
        return begin() < other.end() && other.begin() < end();
    }
};

// The arrays of an update: params, grads and the slots of the rule.
class Operands {
public:
    template <class T>
    static Operands gather(const py::handle& params,
                           const py::handle& grads,
                           const py::dict& slots,
                           const Slots& wanted) {
        Operands all;
        all.params_ = Operand::of<T>("params", params);
        all.params_.require_writable();
        all.grads_ = Operand::of<T>("grads", grads);
        all.grads_.require_shape_of(all.params_);
        for (const Slot& slot : wanted) {
            if (!slots.contains(slot.name)) throw_missing(slot.name, slots);
            Operand& operand = all.slots_[all.n_slots_++];
            operand = Operand::of<T>(slot.name, slots[slot.name]);
            operand.require_shape_of(all.params_);
            operand.require_writable();
        }
        all.make_dense();
        all.separate();
        return all;
    }

    Index size() const { return params_.given.size(); }
    template <class T>
    T* params() {
        return static_cast<T*>(params_.dense.mutable_data());
    }
    template <class T>
    const T* grads() const {
        return static_cast<const T*>(grads_.dense.data());
    }
    template <class T>
    std::array<T*, Slots::kMax> slots() {
        std::array<T*, Slots::kMax> pointers{};
        for (std::size_t k = 0; k < n_slots_; ++k) {
            pointers[k] = static_cast<T*>(slots_[k].dense.mutable_data());
        }
        return pointers;
    }
    void write_back() const {
        params_.write_back();
        for (std::size_t k = 0; k < n_slots_; ++k) slots_[k].write_back();
    }

private:
    [[noreturn]] static void throw_missing(const char* name, const py::dict& slots) {
        throw std::invalid_argument(
            std::string(name) + ": the state has no such slot, it has " +
            text_of(py::list(slots)) + ": was it made for other settings?");
    }

    template <class Visit>
    void for_each(Visit&& visit) {
        visit(params_);
        visit(grads_);
        for (std::size_t k = 0; k < n_slots_; ++k) visit(slots_[k]);
    }

    // Arrays of one common order are used as they lie; otherwise copies in C
    // order stand for those in another.
    void make_dense() {
        bool all_fortran = true;
        for_each([&](Operand& o) {
            all_fortran &= has_flag(o.given, py::array::f_style) && o.is_aligned();
        });
        const int order = all_fortran ? py::array::f_style : py::array::c_style;
        for_each([&](Operand& o) { o.make_dense(order); });
    }

    // What is written must not overlap; gradients that do are copied.
    void separate() {
        bool copy_grads = grads_.overlaps(params_) && grads_.begin() != params_.begin();
        for (std::size_t k = 0; k < n_slots_; ++k) {
            copy_grads |= grads_.overlaps(slots_[k]);
            require_apart(slots_[k], params_);
            for (std::size_t j = 0; j < k; ++j) require_apart(slots_[k], slots_[j]);
        }
        if (copy_grads)
            grads_.dense = grads_.dense.attr("copy")(py::arg("order") = "K");
    }
    static void require_apart(const Operand& slot, const Operand& other) {
        if (!slot.overlaps(other)) return;
        throw std::invalid_argument(slot.name + " shares memory with " + other.name +
                                    ": each needs an array of its own");
    }

    Operand params_;
    Operand grads_;
    std::array<Operand, Slots::kMax> slots_;
    std::size_t n_slots_ = 0;
};

// A rule ready to update arrays at any step.
class UpdateRule {
public:
    explicit UpdateRule(const py::dict& dict)
        : rule_(rule_from_dict(dict)), slots_(slots_of(rule_)), running_(rule_) {}

    py::dict slots() const {
        py::dict initial;
        for (const Slot& slot : slots_) initial[slot.name] = slot.initial;
        return initial;
    }

    void update(const py::object& params,
                const py::object& grads,
                const py::dict& slots,
                std::int64_t step,
                std::optional<double> lr,
                std::optional<double> mu_product) {
        require(step >= 1, "step", step, "an integer >= 1");
        if (lr) require_not_negative("lr", *lr);
        running_.set_step(step, lr.value_or(lr_of(rule_)), mu_product);
        if (py::isinstance<py::array_t<float>>(params)) {
            update_as<float>(params, grads, slots);
        } else if (py::isinstance<py::array_t<double>>(params)) {
            update_as<double>(params, grads, slots);
        } else {
            throw_unusable(params);
        }
    }

private:
    template <class T>
    void update_as(const py::object& params,
                   const py::object& grads,
                   const py::dict& slots) {
        Operands arrays = Operands::gather<T>(params, grads, slots, slots_);
        // A copy: while the GIL is released, another thread may move this rule's
        // step.
        const RunningRule running = running_;
        const Index n = arrays.size();
        T* const p = arrays.template params<T>();
        const T* const g = arrays.template grads<T>();
        const auto s = arrays.template slots<T>();
        {
            std::optional<py::gil_scoped_release> released;
            // Means of gradients that became exactly zero decay into denormal numbers,
            // on which processors are ten times slower.
            const FlushDenormals flush;
            if (n > kReleaseGilAbove) released.emplace();
            running.update(n, p, g, s.data());
        }
        arrays.write_back();
    }

    [[noreturn]] static void throw_unusable(const py::object& params) {
        const bool array = py::isinstance<py::array>(params);
        throw py::type_error(
            "params must be a NumPy array of dtype float32 or float64, got " +
            (array ? "dtype " + text_of(params.attr("dtype")) : type_name(params)));
    }

    optim::Rule rule_;
    Slots slots_;
    RunningRule running_;
};

}  // namespace

void register_optim(py::module_& m) {
    using namespace py::literals;

    m.def(
        "check_optimizer", [](const py::dict& dict) { rule_from_dict(dict); },
        "optimizer"_a, "Raise ValueError for a setting out of range.");
    m.def(
        "check_schedule", [](const py::dict& dict) { schedule_from_dict(dict); },
        "schedule"_a, "Raise ValueError for a setting out of range.");
    m.def(
        "schedule_at",
        [](const py::dict& dict, double t, double lr) {
            return optim::schedule_at(schedule_from_dict(dict), t, lr);
        },
        "schedule"_a, "t"_a, "lr"_a, "The learning rate at step t, from lr.");

    py::class_<UpdateRule>(m, "UpdateRule", py::module_local(),
                           "An optimizer's rule, to update NumPy arrays in place.")
        .def(py::init<const py::dict&>(), "optimizer"_a)
        .def("slots", &UpdateRule::slots,
             "The names of the state and its initial values.")
        .def("update", &UpdateRule::update, "params"_a, "grads"_a, "slots"_a, "step"_a,
             "lr"_a = py::none(), "mu_product"_a = py::none(),
             "One update, in place, of params and slots.");

    using optim::LearningRate;
    py::class_<LearningRate>(m, "LearningRate", py::module_local(),
                             "The learning rate of a training run.")
        .def(py::init([](const py::object& schedule, double lr) {
                 return LearningRate(schedule_or_none(schedule), lr);
             }),
             "schedule"_a, "lr"_a)
        .def("at", &LearningRate::at, "epoch"_a, "step"_a)
        .def_property_readonly(
            "monitor",
            [](const LearningRate& rate) {
                return rate.monitor() ? std::optional(*rate.monitor()) : std::nullopt;
            })
        .def("end_epoch", &LearningRate::end_epoch, "score"_a);
}

}  // namespace fastnn::bindings
