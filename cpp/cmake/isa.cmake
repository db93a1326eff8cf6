# The one table of instruction sets: for each level the compiler flags and every CPU
# feature those flags let the compiler use. It feeds the compiler and the detector
# (cpp/bindings/cpu_features.hpp), so that the two cannot disagree.
#
# Adding a level: a name in FASTNN_ISA_LEVELS (best first) and its two variables.

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$"
   AND NOT CMAKE_OSX_ARCHITECTURES MATCHES "arm64")
  set(FASTNN_ISA_LEVELS v4 v3 v2)
else()
  set(FASTNN_ISA_LEVELS generic)
endif()

set(FASTNN_ISA_v2_FLAGS -march=x86-64-v2)
set(FASTNN_ISA_v2_FEATURES
    cmpxchg16b lahf_lm popcnt sse3 ssse3 sse4.1 sse4.2)

set(FASTNN_ISA_v3_FLAGS -march=x86-64-v3)
set(FASTNN_ISA_v3_FEATURES
    ${FASTNN_ISA_v2_FEATURES} avx avx2 bmi bmi2 f16c fma lzcnt movbe osxsave)

set(FASTNN_ISA_v4_FLAGS -march=x86-64-v4)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms from inside its own AVX-512 headers. The other levels, compiled from
  # the same sources, keep both warnings.
  list(APPEND FASTNN_ISA_v4_FLAGS -Wno-uninitialized -Wno-maybe-uninitialized)
endif()
set(FASTNN_ISA_v4_FEATURES
    ${FASTNN_ISA_v3_FEATURES} avx512f avx512bw avx512cd avx512dq avx512vl)

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Clang's __builtin_cpu_supports does not know these names. Every processor with
  # sse4.2 has the first two, and asking for avx asks for the third.
  foreach(level v2 v3 v4)
    list(REMOVE_ITEM FASTNN_ISA_${level}_FEATURES cmpxchg16b lahf_lm osxsave)
  endforeach()
endif()

# Every processor of the architecture runs it, so it asks for no feature.
set(FASTNN_ISA_generic_FLAGS "")
set(FASTNN_ISA_generic_FEATURES "")

# Writes the table as C++ rows {level, feature, is it here?} to <file>.
# __builtin_cpu_supports takes a literal only, hence one row per pair; it also asks
# whether the operating system saves the wide registers.
function(fastnn_write_isa_table file)
  set(levels "")
  set(features "")
  foreach(level IN LISTS FASTNN_ISA_LEVELS)
    string(APPEND levels "FASTNN_LEVEL(\"${level}\")\n")
    foreach(feature IN LISTS FASTNN_ISA_${level}_FEATURES)
      string(APPEND features "FASTNN_FEATURE(\"${level}\", \"${feature}\")\n")
    endforeach()
  endforeach()
  file(CONFIGURE OUTPUT "${file}" CONTENT "${levels}${features}")
endfunction()

# The best level this machine runs, by compiling and running the detector itself.
function(fastnn_native_level result table_dir)
  if(CMAKE_CROSSCOMPILING)
    message(FATAL_ERROR "FASTNN_LEVELS=native needs the target's processor, but this "
                        "is a cross build. Name the level: ${FASTNN_ISA_LEVELS}.")
  endif()
  try_run(run_result compile_ok
    "${PROJECT_BINARY_DIR}/native_level"
    "${PROJECT_SOURCE_DIR}/cpp/cmake/print_native_level.cpp"
    CMAKE_FLAGS
      "-DINCLUDE_DIRECTORIES=${table_dir};${PROJECT_SOURCE_DIR}/cpp/bindings"
      "-DCMAKE_CXX_STANDARD=20"
    COMPILE_OUTPUT_VARIABLE compile_output
    RUN_OUTPUT_VARIABLE level)
  if(NOT compile_ok OR NOT run_result EQUAL 0)
    message(FATAL_ERROR "FASTNN_LEVELS=native: this processor runs none of the levels "
                        "${FASTNN_ISA_LEVELS}, or the detector did not compile:\n"
                        "${compile_output}")
  endif()
  string(STRIP "${level}" level)
  set(${result} "${level}" PARENT_SCOPE)
endfunction()

# FASTNN_LEVELS (all | native | a list such as v2;v3) -> the levels to build.
function(fastnn_resolve_levels result table_dir)
  string(REPLACE "," ";" wanted "${FASTNN_LEVELS}")
  if(wanted STREQUAL "all")
    set(wanted ${FASTNN_ISA_LEVELS})
  elseif(wanted STREQUAL "native")
    fastnn_native_level(wanted "${table_dir}")
  endif()
  foreach(level IN LISTS wanted)
    if(NOT level IN_LIST FASTNN_ISA_LEVELS)
      message(FATAL_ERROR "FASTNN_LEVELS has '${level}'; expected 'all', 'native' or a "
                          "list out of: ${FASTNN_ISA_LEVELS}.")
    endif()
  endforeach()
  if(NOT wanted)
    message(FATAL_ERROR "FASTNN_LEVELS is empty; expected 'all', 'native' or a list "
                        "out of: ${FASTNN_ISA_LEVELS}.")
  endif()
  set(${result} "${wanted}" PARENT_SCOPE)
endfunction()
