// NumPy arguments -> views, and the errors that name them.
//
// An input is used where it lies if it is C-contiguous, aligned and in the processor's
// byte order, and copied otherwise. An output is written in place, so it must be all of
// that.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "bindings/running.hpp"
#include "fastnn/core/threads.hpp"
#include "fastnn/core/types.hpp"

namespace fastnn::bindings {

namespace py = pybind11;

using Shape = std::initializer_list<Index>;

// What kernels ask of memory, as NumPy's flags.
inline constexpr int kDense = py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ |
                              py::detail::npy_api::NPY_ARRAY_ALIGNED_;
inline constexpr int kWritable = py::detail::npy_api::NPY_ARRAY_WRITEABLE_;

inline std::string text(py::handle object) {
    return py::cast<std::string>(py::str(object));
}

// "(3, 4)"
inline std::string shape_text(const Index* extents, Index n) {
    std::string s = "(";
    for (Index i = 0; i < n; ++i) {
        s += std::to_string(extents[i]) + (i + 1 < n ? ", " : n == 1 ? "," : "");
    }
    return s + ")";
}

inline std::string kind_text(py::handle object) {
    if (py::isinstance<py::array>(object)) return text(object.attr("dtype")) + " array";
    return text(py::type::of(object).attr("__name__"));
}

inline bool has_flags(const py::array& a, int flags) {
    return (a.flags() & flags) == flags;
}

// A plain ndarray; subclasses that hide elements (masked arrays) are refused.
inline py::array plain_array(py::handle value, const char* name) {
    const auto* plain = py::detail::npy_api::get().PyArray_Type_;
    if (Py_TYPE(value.ptr()) != plain &&
        (!py::isinstance<py::array>(value) || py::hasattr(value, "mask"))) {
        throw py::type_error(std::string(name) + " must be a plain NumPy array, got " +
                             kind_text(value));
    }
    return py::reinterpret_borrow<py::array>(value);
}

// Size in bytes of the elements of a float32 or float64 array, in either byte order.
inline Index real_size(const py::array& a, const char* name) {
    const py::dtype type = a.dtype();
    const Index size = type.itemsize();
    if (type.kind() == 'f' && (size == 4 || size == 8)) return size;
    throw py::type_error(std::string(name) + " must be float32 or float64, got " +
                         text(type) + ": convert it, e.g. " + name +
                         ".astype(np.float32)");
}

// call(T{}) with the dtype that all arrays of a kernel share: that of `first`.
template <class Call>
auto with_dtype(py::handle first, const char* name, Call&& call) {
    return real_size(plain_array(first, name), name) == 4 ? call(float{})
                                                          : call(double{});
}

// The array in dtype T, contiguous and aligned: itself if it is so already.
template <class T>
py::array to_dense(const py::array& a) {
    const auto& api = py::detail::npy_api::get();
    if (has_flags(a, kDense) && py::isinstance<py::array_t<T>>(a)) return a;
    PyObject* copy = api.PyArray_FromAny_(a.ptr(), py::dtype::of<T>().release().ptr(),
                                          0, 0, kDense | py::array::forcecast, nullptr);
    if (!copy) throw py::error_already_set();
    return py::reinterpret_steal<py::array>(copy);
}

// What inputs and outputs have in common: an array, its name and its views.
template <class T>
class Argument {
public:
    const py::array& array() const { return array_; }
    const char* name() const { return name_; }
    Index ndim() const { return array_.ndim(); }
    Index extent(Index i) const { return array_.shape(i); }
    Index size() const { return array_.size(); }

    // Throws unless the shape is `expected`, which follows from `why`.
    void check_shape(Shape expected, const char* why) const {
        if (std::equal(expected.begin(), expected.end(), array_.shape(),
                       array_.shape() + ndim())) {
            return;
        }
        throw std::invalid_argument(
            std::string(name_) + " has shape " + shape_text(array_.shape(), ndim()) +
            ", expected " +
            shape_text(expected.begin(), static_cast<Index>(expected.size())) + ": " +
            why);
    }

protected:
    Argument(py::array array, const char* name)
        : array_(std::move(array)), name_(name) {}

    py::array array_;
    const char* name_;
};

template <class T>
class Input : public Argument<T> {
public:
    Input(py::handle value, const char* name)
        : Argument<T>(convert(value, name), name) {}

    // Throws unless the array has two dimensions.
    void check_matrix() const {
        if (this->ndim() == 2) return;
        const std::string name = this->name_;
        throw std::invalid_argument(name + " has " + std::to_string(this->ndim()) +
                                    " dimensions, expected 2 (rows, columns): use " +
                                    name + ".reshape(len(" + name + "), -1)");
    }
    const T* data() const { return static_cast<const T*>(this->array_.data()); }
    VectorView<const T> vector() const { return {data(), this->size()}; }
    MatrixView<const T> matrix() const {
        return {data(), this->extent(0), this->extent(1)};
    }

private:
    static py::array convert(py::handle value, const char* name) {
        const py::array a = plain_array(value, name);
        if (real_size(a, name) != static_cast<Index>(sizeof(T))) {
            throw py::type_error(std::string(name) + " is " + text(a.dtype()) +
                                 ", other arrays of the call are " +
                                 text(py::dtype::of<T>()) +
                                 ": give all arrays one dtype");
        }
        return to_dense<T>(a);
    }
};

// A matrix argument.
template <class T>
Input<T> input_matrix(py::handle value, const char* name) {
    Input<T> input(value, name);
    input.check_matrix();
    return input;
}

// An argument with one element for each of n.
template <class T>
Input<T> input_vector(py::handle value, const char* name, Index n, const char* why) {
    Input<T> input(value, name);
    input.check_shape({n}, why);
    return input;
}

// The array a kernel writes: the caller's, or a fresh one when `out` is None.
template <class T>
class Output : public Argument<T> {
public:
    Output(py::handle out, const char* name, Shape shape)
        : Output(out, name, shape.begin(), static_cast<Index>(shape.size())) {}
    Output(py::handle out, const char* name, const Index* shape, Index ndim)
        : Argument<T>(
              out.is_none() ? fresh(shape, ndim) : checked(out, name, shape, ndim),
              name),
          given_(!out.is_none()) {}

    T* data() const { return static_cast<T*>(const_cast<void*>(this->array_.data())); }
    VectorView<T> vector() const { return {data(), this->size()}; }
    MatrixView<T> matrix() const { return {data(), this->extent(0), this->extent(1)}; }

    // Throws if the memory is shared with an argument; with `same_is_fine`, only if it
    // is shared in part.
    void check_apart(const py::array& other,
                     const char* other_name,
                     bool same_is_fine = false) const {
        if (!given_) return;
        const auto span = [](const py::array& a) {
            const char* begin = static_cast<const char*>(a.data());
            return std::pair{begin, begin + a.nbytes()};
        };
        const auto [begin, end] = span(this->array_);
        const auto [other_begin, other_end] = span(other);
        if (end <= other_begin || other_end <= begin || begin == end) return;
        if (same_is_fine && begin == other_begin && end == other_end) return;
        throw std::invalid_argument(std::string(this->name_) + " overlaps " +
                                    other_name +
                                    ": give an array with memory of its own");
    }
    template <class U>
    void check_apart(const Argument<U>& other, bool same_is_fine = false) const {
        check_apart(other.array(), other.name(), same_is_fine);
    }

private:
    static py::array fresh(const Index* shape, Index ndim) {
        return py::array(py::dtype::of<T>(),
                         py::array::ShapeContainer(shape, shape + ndim));
    }
    static py::array checked(py::handle out,
                             const char* name,
                             const Index* shape,
                             Index ndim) {
        py::array a = plain_array(out, name);
        if (!py::isinstance<py::array_t<T>>(a)) {
            throw py::type_error(std::string(name) + " is " + text(a.dtype()) +
                                 ", expected " + text(py::dtype::of<T>()));
        }
        if (!std::equal(shape, shape + ndim, a.shape(), a.shape() + a.ndim())) {
            throw std::invalid_argument(std::string(name) + " has shape " +
                                        shape_text(a.shape(), a.ndim()) +
                                        ", expected " + shape_text(shape, ndim));
        }
        if (!has_flags(a, kDense | kWritable)) {
            throw std::invalid_argument(std::string(name) +
                                        " must be writable, aligned and C-contiguous: "
                                        "give e.g. np.empty(shape, dtype)");
        }
        return a;
    }

    bool given_;
};

// Threads for work that takes one thread about `nanoseconds`. None: one thread unless
// the work is many times what starting a thread costs.
inline int choose_threads(py::handle n_threads, double nanoseconds) {
    constexpr double kWorthSharing = 150e3;
    if (n_threads.is_none()) return nanoseconds < kWorthSharing ? 1 : default_threads();
    if (PyIndex_Check(n_threads.ptr()) == 0 || PyBool_Check(n_threads.ptr())) {
        throw py::type_error("n_threads must be an integer or None, got " +
                             kind_text(n_threads));
    }
    const Py_ssize_t n = PyNumber_AsSsize_t(n_threads.ptr(), nullptr);
    if (n < 1 || n > 1024) {
        throw std::invalid_argument("n_threads must be from 1 to 1024, or None, got " +
                                    text(n_threads));
    }
    return static_cast<int>(n);
}

// compute(threads); without the GIL where that is worth the cost of handing it over.
template <class Compute>
void run_kernel(py::handle n_threads, double nanoseconds, Compute&& compute) {
    constexpr double kWorthReleasing = 5e3;
    const int threads = choose_threads(n_threads, nanoseconds);
    std::optional<ReleasedGil> release;
    if (nanoseconds > kWorthReleasing) release.emplace();
    compute(threads);
}

}  // namespace fastnn::bindings
