// Objects for Python that survive a lack of memory while they are made.
#pragma once

#include <pybind11/pybind11.h>

namespace fastnn::bindings {

namespace py = pybind11;

// A Python object of the class that binds U. What takes memory is put into it
// afterwards: pybind11 3.1 frees a full object twice, or never, if memory runs out just
// when it takes it over.
template <class U>
py::object new_object() {
    return py::type::of<U>()();
}

}  // namespace fastnn::bindings
