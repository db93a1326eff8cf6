# How every module is compiled and linked -> targets fastnn::flags, fastnn::allocations

option(FASTNN_WERROR "Treat compiler warnings as errors" OFF)
set(FASTNN_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

add_library(fastnn_flags INTERFACE)
add_library(fastnn::flags ALIAS fastnn_flags)
target_compile_features(fastnn_flags INTERFACE cxx_std_20)

# Speed without touching the values: errno and traps are never read. -ffast-math is not
# used: it breaks NaN checks and changes the rounding mode of the whole process.
target_compile_options(fastnn_flags INTERFACE
  -fno-math-errno -fno-trapping-math
  -Wall -Wextra -Wpedantic -Wshadow -Wcast-qual -Wdouble-promotion -Wextra-semi
  -Wnon-virtual-dtor -Woverloaded-virtual -Wundef
  $<$<BOOL:${FASTNN_WERROR}>:-Werror>)

if(FASTNN_SANITIZE)
  target_compile_options(fastnn_flags INTERFACE
    -fsanitize=${FASTNN_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g1)
  target_link_options(fastnn_flags INTERFACE -fsanitize=${FASTNN_SANITIZE})
endif()

if(CMAKE_SYSTEM_NAME STREQUAL "Linux")  # and its linkers
  set(exports_map "${PROJECT_SOURCE_DIR}/cpp/cmake/exports.map")
  target_link_options(fastnn_flags INTERFACE "LINKER:--version-script=${exports_map}")
  set_property(TARGET fastnn_flags PROPERTY INTERFACE_LINK_DEPENDS "${exports_map}")
  # The C++ library goes inside, and what is unused of it goes away, so that the wheel
  # runs on older systems: its random_device alone asks for glibc 2.36. libgcc_s stays
  # shared: every system has it, and the static one asks for glibc 2.35.
  if(NOT FASTNN_SANITIZE)
    target_link_options(fastnn_flags INTERFACE -static-libstdc++ LINKER:--gc-sections)
  endif()
endif()

# Calls of these functions from inside a core module go through the counters of
# cpp/fastnn/core/allocations.cpp, so that a test can prove a step allocates nothing.
set(FASTNN_WRAPPED_ALLOCATORS malloc calloc realloc aligned_alloc posix_memalign)

add_library(fastnn_allocations INTERFACE)
add_library(fastnn::allocations ALIAS fastnn_allocations)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  target_compile_definitions(fastnn_allocations INTERFACE FASTNN_COUNT_ALLOCATIONS=1)
  foreach(function IN LISTS FASTNN_WRAPPED_ALLOCATORS)
    target_link_options(fastnn_allocations INTERFACE "LINKER:--wrap=${function}")
  endforeach()
endif()
