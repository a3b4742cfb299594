# Finds libtorch inside the PyPI wheel of torch (or wherever RALLREC_TORCH_DIR points)
# and offers it as the imported target LibTorch::LibTorch.
#
# Only torch_cpu and c10 are linked, so the program starts in a fraction of a second;
# what computes on GPUs does not see torch. The wheel's own TorchConfig.cmake is not used:
# it asks nvcc for architectures that CUDA 13 dropped.
if(NOT RALLREC_TORCH_DIR)
  file(GLOB rallrec_torch_candidates
    "${RALLREC_DEPS_DIR}/venv/lib/python3*/site-packages/torch")
  if(rallrec_torch_candidates)
    list(GET rallrec_torch_candidates 0 RALLREC_TORCH_DIR)
  endif()
endif()

find_path(LIBTORCH_INCLUDE_DIR ATen/ATen.h
  PATHS "${RALLREC_TORCH_DIR}/include" NO_DEFAULT_PATH)
find_library(LIBTORCH_CPU_LIBRARY torch_cpu
  PATHS "${RALLREC_TORCH_DIR}/lib" NO_DEFAULT_PATH)
find_library(LIBTORCH_C10_LIBRARY c10
  PATHS "${RALLREC_TORCH_DIR}/lib" NO_DEFAULT_PATH)
find_file(LIBTORCH_GOMP_LIBRARY libgomp.so.1
  PATHS "${RALLREC_TORCH_DIR}/lib" NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LIBTORCH_CPU_LIBRARY LIBTORCH_C10_LIBRARY LIBTORCH_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run tools/setup.sh, or set RALLREC_TORCH_DIR to a torch 2.11.0 folder")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  # libtorch_cpu of the wheel needs libcudart and libcupti even where no GPU is used.
  # Where the system has no CUDA toolkit they come from wheels beside torch.
  get_filename_component(rallrec_site_packages "${RALLREC_TORCH_DIR}" DIRECTORY)
  set(LIBTORCH_RPATH "${RALLREC_TORCH_DIR}/lib")
  file(GLOB rallrec_nvidia_dirs "${rallrec_site_packages}/nvidia/*/lib")
  list(APPEND LIBTORCH_RPATH ${rallrec_nvidia_dirs})

  # The wheel carries headers of its own fmt, which spdlog was not built with: the system's go first.
  find_path(RALLREC_FMT_INCLUDE_DIR fmt/format.h PATHS /usr/include NO_DEFAULT_PATH REQUIRED)
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/system_fmt")
  file(CREATE_LINK "${RALLREC_FMT_INCLUDE_DIR}/fmt" "${PROJECT_BINARY_DIR}/system_fmt/fmt" SYMBOLIC)

  add_library(LibTorch::c10 SHARED IMPORTED)
  set_target_properties(LibTorch::c10 PROPERTIES IMPORTED_LOCATION "${LIBTORCH_C10_LIBRARY}")
  add_library(LibTorch::LibTorch SHARED IMPORTED)
  set_target_properties(LibTorch::LibTorch PROPERTIES
    IMPORTED_LOCATION "${LIBTORCH_CPU_LIBRARY}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${PROJECT_BINARY_DIR}/system_fmt;${LIBTORCH_INCLUDE_DIR}"
    INTERFACE_INCLUDE_DIRECTORIES "${PROJECT_BINARY_DIR}/system_fmt;${LIBTORCH_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES LibTorch::c10)
endif()
