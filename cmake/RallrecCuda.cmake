# The CUDA language and toolkit of builds with RALLREC_WITH_CUDA, and how .cu files are compiled.
#
# Machine code for Ampere, Hopper and Blackwell, and PTX of the last for what comes after. Each .cu file is compiled
# once for all of them; what ptxas says about its kernels lies beside the object (ptxas_report.sh).
set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 100 CACHE STRING "GPUs to compile for; sm_80 is the oldest that works")
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)

# The nvcc that tools/setup.sh brought, if the machine had none of CUDA 13.
find_program(CMAKE_CUDA_COMPILER nvcc
  HINTS "${RALLREC_DEPS_DIR}/cuda/nvidia/cu13" ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES bin)
if(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "no nvcc; run tools/setup.sh cuda, or set CMAKE_CUDA_COMPILER to that of a CUDA 13 toolkit")
endif()
enable_language(CUDA)
find_package(CUDAToolkit 13.0 REQUIRED)
find_package(NCCL REQUIRED)

set(CMAKE_CUDA_COMPILER_LAUNCHER "${PROJECT_SOURCE_DIR}/cmake/ptxas_report.sh")
if(RALLREC_CCACHE)
  # Code for several architectures has no one preprocessed form: the dependencies decide.
  list(APPEND CMAKE_CUDA_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_DEPEND=1 ${RALLREC_CCACHE})
endif()
