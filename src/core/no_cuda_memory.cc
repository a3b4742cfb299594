// Device memory in a build without CUDA.
#include "core/device_memory_gpu.h"
#include "core/error.h"

namespace rallrec::detail {
namespace {

[[noreturn]] void throw_no_cuda() {
  throw_usage(
      "memory of a GPU: this build has no CUDA; configure with the cuda preset, or choose --device "
      "cpu");
}

}  // namespace

void* allocate_gpu(std::size_t /*bytes*/, const char* /*setting*/) { throw_no_cuda(); }

void release_gpu(void* /*memory*/) noexcept {}

void copy_to_gpu(const Queue& /*queue*/, void* /*device*/, const void* /*host*/,
                 std::size_t /*bytes*/) {
  throw_no_cuda();
}

void copy_from_gpu(const Queue& /*queue*/, void* /*host*/, const void* /*device*/,
                   std::size_t /*bytes*/) {
  throw_no_cuda();
}

void copy_on_gpu(const Queue& /*queue*/, void* /*to*/, const void* /*from*/,
                 std::size_t /*bytes*/) {
  throw_no_cuda();
}

void clear_gpu(const Queue& /*queue*/, void* /*memory*/, std::size_t /*bytes*/) { throw_no_cuda(); }

}  // namespace rallrec::detail
