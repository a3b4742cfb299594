#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "core/cuda_check.h"
#include "core/device.h"

namespace rallrec {

namespace detail {

template <typename Kernel>
void check_launch(cudaError_t error, Kernel* kernel) {
  if (error != cudaSuccess) {
    const char* name = "a kernel";
    cudaFuncGetName(&name, kernel);
    check_cuda(error, ("launching " + std::string(name)).c_str());
  }
}

// Above 48 KiB a kernel must be granted its dynamic shared memory once.
template <typename Kernel>
void grant_shared_memory(Kernel* kernel, std::size_t bytes) {
  constexpr std::size_t kWithoutAsking = 48 * 1024;
  if (bytes > kWithoutAsking) {
    check_launch(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(bytes)),
                 kernel);
  }
}

}  // namespace detail

inline cudaStream_t stream_of(const Queue& queue) {
  return static_cast<cudaStream_t>(queue.stream);
}

// Blocks that `count` items take along one dimension of a grid, `per_block` to a block.
inline unsigned blocks_for(std::int64_t count, std::int64_t per_block) {
  return static_cast<unsigned>((count + per_block - 1) / per_block);
}

// Enqueues kernel(arguments…) on `stream`: the only way kernels start. The arguments are converted
// to the kernel's parameter types and copied before this returns. An empty grid enqueues nothing.
// Throws Error where the launch is refused; what goes wrong while the kernel runs is thrown by a
// later call, as CUDA has it.
template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
            cudaStream_t stream, Arguments&&... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments), "one argument per parameter");
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) {
    return;
  }
  detail::grant_shared_memory(kernel, shared_bytes);
  std::tuple<std::decay_t<Parameters>...> values(std::forward<Arguments>(arguments)...);
  auto pointers = std::apply(
      [](auto&... value) { return std::array<void*, sizeof...(value)>{(void*)&value...}; }, values);
  detail::check_launch(cudaLaunchKernel(kernel, grid, block, pointers.data(), shared_bytes, stream),
                       kernel);
}

}  // namespace rallrec
