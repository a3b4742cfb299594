# NCCL::NCCL, header and library from one place: NCCL_ROOT where it is set, beside torch's wheel (the copy that
# libtorch loads), tools/setup.sh's, or the CUDA toolkit's. The program links libnccl.so.2 by that name, so it shares
# the copy that libtorch loads where both are found.
set(nccl_places ${NCCL_ROOT} "${RALLREC_TORCH_DIR}/../nvidia/nccl" "${RALLREC_DEPS_DIR}/cuda/nvidia/nccl")
find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${nccl_places} ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 NAMES_PER_DIR
  HINTS ${nccl_places} ${CUDAToolkit_LIBRARY_DIR} PATH_SUFFIXES lib lib64)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(NCCL REQUIRED_VARS NCCL_LIBRARY NCCL_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run tools/setup.sh cuda, or set NCCL_ROOT to NCCL 2.28.9")
if(NCCL_FOUND AND NOT TARGET NCCL::NCCL)
  add_library(NCCL::NCCL UNKNOWN IMPORTED)
  set_target_properties(NCCL::NCCL PROPERTIES
    IMPORTED_LOCATION "${NCCL_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${NCCL_INCLUDE_DIR}")
endif()
