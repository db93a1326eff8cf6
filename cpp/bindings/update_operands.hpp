// The array arguments of an optimizer's update: checked, dense, apart from each other.
#pragma once

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include <pybind11/numpy.h>

#include "fastnn/optim/rules/rule.hpp"

namespace fastnn::bindings {

namespace py = pybind11;

inline std::string type_name(const py::handle& object) {
    return py::cast<std::string>(py::type::of(object).attr("__name__"));
}

inline std::string text_of(const py::handle& object) {
    return py::cast<std::string>(py::str(object));
}

inline bool is_plain_array(const py::handle& object) {
    const auto* plain = py::detail::npy_api::get().PyArray_Type_;
    if (Py_TYPE(object.ptr()) == plain) return true;
    return py::isinstance<py::array>(object) && !py::hasattr(object, "mask");
}

inline bool has_flag(const py::array& a, int flag) { return (a.flags() & flag) != 0; }

inline bool repeats_elements(const py::array& a) {
    if (a.size() == 0) return false;
    for (py::ssize_t d = 0; d < a.ndim(); ++d) {
        if (a.shape(d) > 1 && a.strides(d) == 0) return true;
    }
    return false;
}

// One array argument of an update, and the dense array that stands for it.
struct Operand {
    const char* name;
    py::array given;
    py::array dense;

    // A NumPy array of T, or an error that names it.
    template <class T>
    static Operand of(const char* name, const py::handle& object) {
        if (!is_plain_array(object)) {
            throw py::type_error(std::string(name) +
                                 " must be a plain NumPy array, got " +
                                 type_name(object));
        }
        auto array = py::reinterpret_borrow<py::array>(object);
        if (!py::isinstance<py::array_t<T>>(array)) {
            throw py::type_error(std::string(name) + " must be of dtype " +
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
        throw std::invalid_argument(
            std::string(name) + " must have the shape of params, " +
            text_of(p.attr("shape")) + ", got " + text_of(a.attr("shape")));
    }

    void require_writable() const {
        if (!given.writeable()) {
            throw std::invalid_argument(
                std::string(name) +
                " is read-only and would be updated in place: pass a copy");
        }
        if (repeats_elements(given)) {
            throw std::invalid_argument(std::string(name) +
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

// The state of one slot: by name in a dict, by position in a tuple; null if absent or
// None.
inline py::handle find_slot(const py::object& slots, const optim::Slot& slot) {
    py::handle found;
    if (py::isinstance<py::dict>(slots)) {
        found = PyDict_GetItemString(slots.ptr(), slot.name);
    } else if (slot.position < PyTuple_GET_SIZE(slots.ptr())) {
        found = PyTuple_GET_ITEM(slots.ptr(), slot.position);
    }
    return found && found.is_none() ? py::handle() : found;
}

// The arrays of an update: params, grads and the slots of the rule, all of type T.
template <class T>
class Operands {
public:
    Operands(const py::handle& params,
             const py::handle& grads,
             const py::object& slots,
             const optim::Slots& wanted) {
        arrays_.reserve(2 + optim::Slots::kMax);
        arrays_.push_back(Operand::of<T>("params", params));
        arrays_.push_back(Operand::of<T>("grads", grads));
        for (const optim::Slot& slot : wanted) {
            const py::handle found = find_slot(slots, slot);
            if (!found) throw_missing(slot.name, slots);
            arrays_.push_back(Operand::of<T>(slot.name, found));
        }
        for (const Operand& o : arrays_) {
            o.require_shape_of(arrays_.front());
            if (&o != &grads_operand()) o.require_writable();
        }
        make_dense();
        separate();
    }

    Index size() const { return arrays_.front().given.size(); }
    T* params() { return mutable_data(arrays_.front()); }
    const T* grads() const {
        return static_cast<const T*>(grads_operand().dense.data());
    }
    std::array<T*, optim::Slots::kMax> slots() {
        std::array<T*, optim::Slots::kMax> pointers{};
        for (std::size_t i = kFirstSlot; i < arrays_.size(); ++i) {
            pointers[i - kFirstSlot] = mutable_data(arrays_[i]);
        }
        return pointers;
    }
    void write_back() const {
        for (const Operand& o : arrays_) {
            if (&o != &grads_operand()) o.write_back();
        }
    }

private:
    static constexpr std::size_t kFirstSlot = 2;

    [[noreturn]] static void throw_missing(const char* name, const py::object& slots) {
        const bool named = py::isinstance<py::dict>(slots);
        throw std::invalid_argument(
            std::string(name) + ": these settings need this slot, but " +
            (named ? "the state has " + text_of(py::list(slots)) +
                         ": was it made for other settings?"
                   : "it is None: see init_slots"));
    }

    static T* mutable_data(Operand& o) {
        return static_cast<T*>(o.dense.mutable_data());
    }
    Operand& grads_operand() { return arrays_[1]; }
    const Operand& grads_operand() const { return arrays_[1]; }

    // Arrays of one common order are used as they lie; otherwise copies in C order
    // stand for those in another.
    void make_dense() {
        const bool fortran =
            std::all_of(arrays_.begin(), arrays_.end(), [](const Operand& o) {
                return has_flag(o.given, py::array::f_style) && o.is_aligned();
            });
        const int order = fortran ? py::array::f_style : py::array::c_style;
        for (Operand& o : arrays_) o.make_dense(order);
    }

    // What is written must not overlap; gradients that do are copied.
    void separate() {
        const Operand& params = arrays_.front();
        Operand& grads = grads_operand();
        bool copy_grads = grads.overlaps(params) && grads.begin() != params.begin();
        for (std::size_t i = kFirstSlot; i < arrays_.size(); ++i) {
            copy_grads |= grads.overlaps(arrays_[i]);
            require_apart(arrays_[i], params);
            for (std::size_t j = kFirstSlot; j < i; ++j) {
                require_apart(arrays_[i], arrays_[j]);
            }
        }
        if (copy_grads) grads.dense = grads.dense.attr("copy")(py::arg("order") = "K");
    }
    static void require_apart(const Operand& slot, const Operand& other) {
        if (!slot.overlaps(other)) return;
        throw std::invalid_argument(std::string(slot.name) + " shares memory with " +
                                    other.name + ": each needs an array of its own");
    }

    std::vector<Operand> arrays_;
};

}  // namespace fastnn::bindings
