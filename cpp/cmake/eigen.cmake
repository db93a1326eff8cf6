# Eigen's headers, never downloaded here. The first of:
#   1. -DFASTNN_EIGEN_DIR=<folder that holds Eigen/Core>
#   2. third_party/eigen, which source distributions carry
#   3. the eigency package of the build requirements, found without importing it
# -> target fastnn::eigen (system headers: their warnings are not ours)
#    FASTNN_EIGEN_INCLUDE_DIR, FASTNN_EIGEN_VERSION

set(FASTNN_EIGEN_EXPECTED 5.0.1)

function(fastnn_eigency_dir result)
  string(CONCAT find_it
    "from importlib.util import find_spec\n"
    "spec = find_spec('eigency')\n"
    "print(spec.submodule_search_locations[0] if spec else '', end='')\n")
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c "${find_it}"
    OUTPUT_VARIABLE package_dir ERROR_QUIET)
  if(package_dir)
    file(TO_CMAKE_PATH "${package_dir}/eigen" package_dir)
  endif()
  set(${result} "${package_dir}" PARENT_SCOPE)
endfunction()

# The version is read from the header's macros, whoever brought it.
function(fastnn_read_eigen_version result include_dir)
  set(version "")
  foreach(header Eigen/Version Eigen/src/Core/util/Macros.h)
    if(NOT EXISTS "${include_dir}/${header}")
      continue()
    endif()
    file(READ "${include_dir}/${header}" text)
    set(parts "")
    foreach(part MAJOR MINOR PATCH)
      if(text MATCHES "#define EIGEN_${part}_VERSION +([0-9]+)")
        list(APPEND parts ${CMAKE_MATCH_1})
      endif()
    endforeach()
    # Eigen 3 counted WORLD.MAJOR.MINOR and had no patch number.
    if(parts MATCHES "^[0-9]+;[0-9]+$")
      list(INSERT parts 0 3)
    endif()
    if(parts)
      string(REPLACE ";" "." version "${parts}")
      break()
    endif()
  endforeach()
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

set(eigen_third_party "${PROJECT_SOURCE_DIR}/third_party/eigen")
fastnn_eigency_dir(eigen_eigency)
if(FASTNN_EIGEN_DIR)
  set(FASTNN_EIGEN_INCLUDE_DIR "${FASTNN_EIGEN_DIR}")
  set(eigen_origin "-DFASTNN_EIGEN_DIR")
elseif(EXISTS "${eigen_third_party}/Eigen/Core"
       # A new sdist takes fresh headers, not those an earlier one left behind.
       AND NOT (SKBUILD_STATE STREQUAL "sdist" AND eigen_eigency))
  set(FASTNN_EIGEN_INCLUDE_DIR "${eigen_third_party}")
  set(eigen_origin "third_party/eigen")
else()
  set(FASTNN_EIGEN_INCLUDE_DIR "${eigen_eigency}")
  set(eigen_origin "the build requirement eigency")
endif()

if(NOT EXISTS "${FASTNN_EIGEN_INCLUDE_DIR}/Eigen/Core")
  message(FATAL_ERROR
    "Eigen's headers were not found (looked for Eigen/Core in "
    "'${FASTNN_EIGEN_INCLUDE_DIR}', given by ${eigen_origin}).\n"
    "The Python package eigency==5.0.1.1 carries them, but has wheels only for "
    "x86-64 and macOS arm64, CPython 3.10 to 3.14. Elsewhere unpack Eigen "
    "${FASTNN_EIGEN_EXPECTED} and say where:\n"
    "  pip install . -C cmake.define.FASTNN_EIGEN_DIR=/path/to/eigen\n"
    "or install from fastnn's source distribution, which carries the headers.")
endif()

fastnn_read_eigen_version(FASTNN_EIGEN_VERSION "${FASTNN_EIGEN_INCLUDE_DIR}")
message(STATUS "Eigen ${FASTNN_EIGEN_VERSION} from ${eigen_origin}")
if(NOT FASTNN_EIGEN_VERSION VERSION_EQUAL FASTNN_EIGEN_EXPECTED)
  message(WARNING "Eigen is '${FASTNN_EIGEN_VERSION}'; fastnn is measured and tested "
                  "with ${FASTNN_EIGEN_EXPECTED}.")
endif()

add_library(fastnn_eigen INTERFACE)
add_library(fastnn::eigen ALIAS fastnn_eigen)
target_include_directories(fastnn_eigen SYSTEM INTERFACE "${FASTNN_EIGEN_INCLUDE_DIR}")
# Our threads, not Eigen's.
target_compile_definitions(fastnn_eigen INTERFACE
  EIGEN_MPL2_ONLY EIGEN_DONT_PARALLELIZE)

# The headers and their licences, for a source distribution.
function(fastnn_vendor_eigen)
  if(FASTNN_EIGEN_INCLUDE_DIR STREQUAL eigen_third_party)
    return()
  endif()
  file(GLOB licences "${FASTNN_EIGEN_INCLUDE_DIR}/COPYING.*")
  file(REMOVE_RECURSE "${eigen_third_party}")
  file(COPY "${FASTNN_EIGEN_INCLUDE_DIR}/Eigen" ${licences}
       DESTINATION "${eigen_third_party}")
endfunction()
