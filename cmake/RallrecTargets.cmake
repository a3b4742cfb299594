# rallrec_library(NAME SOURCES … [CUDA_SOURCES …] [NO_CUDA_SOURCES …] [DEPS …] [PRIVATE_DEPS …] [TORCH])
#
# One static library per folder under src/, reachable only as rallrec::NAME. DEPS is the layering: a
# folder may include only what it lists here (tools/check_layers.py reads these lines). TORCH makes
# libtorch visible and uses the shared precompiled header. CUDA_SOURCES are for builds with CUDA and for
# the host SIMT build, NO_CUDA_SOURCES for all others.
function(rallrec_library name)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;CUDA_SOURCES;NO_CUDA_SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  set(sources ${arg_SOURCES})
  if(RALLREC_WITH_CUDA)
    list(APPEND sources ${arg_CUDA_SOURCES})
  elseif(NOT RALLREC_WITH_SIMT)
    list(APPEND sources ${arg_NO_CUDA_SOURCES})
  endif()
  add_library(rallrec_${name} STATIC ${sources})
  add_library(rallrec::${name} ALIAS rallrec_${name})
  target_include_directories(rallrec_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(rallrec_${name} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
  rallrec_compile_options(rallrec_${name})
  if(RALLREC_WITH_CUDA AND arg_CUDA_SOURCES)
    target_link_libraries(rallrec_${name} PUBLIC CUDA::cudart_static)
  elseif(RALLREC_WITH_SIMT AND arg_CUDA_SOURCES)
    rallrec_simt_library(${name} ${arg_CUDA_SOURCES})
  endif()
  if(arg_TORCH)
    target_link_libraries(rallrec_${name} PUBLIC LibTorch::LibTorch)
    target_precompile_headers(rallrec_${name} REUSE_FROM rallrec_torch_pch)
  endif()
endfunction()

# Warnings are errors where the option says so; hardening follows SECURITY.md. Preprocessor-heavy libtorch headers are system
# headers, so only our own code is judged.
function(rallrec_compile_options target)
  if(RALLREC_WARNINGS_ARE_ERRORS)
    set(errors -Werror)
    set(cuda_errors -Werror=all-warnings -Xcompiler=-Wall,-Wextra,-Werror)
  else()
    set(errors "")
    set(cuda_errors -Xcompiler=-Wall,-Wextra)
  endif()
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra ${errors} -fstack-protector-strong>
    $<$<COMPILE_LANGUAGE:CUDA>:-Xptxas=-v ${cuda_errors}>)
  target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS)
endfunction()

# The precompiled header that every library which sees torch shares.
function(rallrec_torch_precompiled_header)
  file(WRITE "${PROJECT_BINARY_DIR}/torch_pch.cc.in" "// Exists to own the precompiled header.\n")
  configure_file("${PROJECT_BINARY_DIR}/torch_pch.cc.in" "${PROJECT_BINARY_DIR}/torch_pch.cc" COPYONLY)
  add_library(rallrec_torch_pch STATIC "${PROJECT_BINARY_DIR}/torch_pch.cc")
  target_link_libraries(rallrec_torch_pch PUBLIC LibTorch::LibTorch)
  rallrec_compile_options(rallrec_torch_pch)
  target_precompile_headers(rallrec_torch_pch PRIVATE
    <ATen/ATen.h> <cstdint> <memory> <string> <vector>)
endfunction()

# rallrec_test(NAME SOURCES … DEPS … [RANKS n…] [LABELS …] [TIMEOUT s] [TORCH])
#
# RANKS n runs the whole binary under mpirun with n processes, so that a collective which does nothing
# cannot pass by running alone. TORCH: the test's own sources include ATen. LABELS gpu: it has a GPU column, or is
# about builds with CUDA.
function(rallrec_test name)
  cmake_parse_arguments(arg "TORCH" "TIMEOUT" "SOURCES;DEPS;LABELS;RANKS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  if(RALLREC_WITH_CUDA AND "gpu" IN_LIST arg_LABELS)
    add_dependencies(gpu_tests ${name})
  endif()
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  rallrec_compile_options(${name})
  if(RALLREC_WITH_SIMT)
    target_compile_options(${name} PRIVATE ${RALLREC_SANITIZE})
  endif()
  target_compile_definitions(${name} PRIVATE
    RALLREC_SOURCE_DIR="${PROJECT_SOURCE_DIR}" RALLREC_BINARY="${PROJECT_BINARY_DIR}/rallrec")
  if(arg_TORCH)
    target_link_libraries(${name} PRIVATE LibTorch::LibTorch)
    target_precompile_headers(${name} REUSE_FROM rallrec_torch_pch)
    # The precompiled header was made with -fPIC, and an executable's -fPIE would refuse it.
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
  if(arg_RANKS)
    target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gtest MPI::MPI_CXX)
    foreach(ranks IN LISTS arg_RANKS)
      add_test(NAME ${name}.ranks${ranks} COMMAND ${MPIEXEC_EXECUTABLE}
        ${MPIEXEC_NUMPROC_FLAG} ${ranks} --oversubscribe $<TARGET_FILE:${name}>)
      set_tests_properties(${name}.ranks${ranks} PROPERTIES
        LABELS "mpi;${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} PROCESSORS 2
        ENVIRONMENT "RALLREC_EXPECT_RANKS=${ranks};OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMP_NUM_THREADS=1")
    endforeach()
  else()
    target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "unit;${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
      ENVIRONMENT "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
  endif()
endfunction()
