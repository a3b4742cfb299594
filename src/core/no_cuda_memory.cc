// Device memory in a build without CUDA.
#include "core/device_memory_gpu.h"
#include "core/no_cuda.h"

namespace rallrec::detail {
namespace {

constexpr const char* kMemory = "memory of a GPU";

}  // namespace

void* allocate_gpu(std::size_t /*bytes*/, const char* /*setting*/) { throw_no_cuda(kMemory); }

void release_gpu(void* /*memory*/) noexcept {}

void copy_to_gpu(const Queue& /*queue*/, void* /*device*/, const void* /*host*/,
                 std::size_t /*bytes*/) {
  throw_no_cuda(kMemory);
}

void copy_from_gpu(const Queue& /*queue*/, void* /*host*/, const void* /*device*/,
                   std::size_t /*bytes*/) {
  throw_no_cuda(kMemory);
}

void copy_on_gpu(const Queue& /*queue*/, void* /*to*/, const void* /*from*/,
                 std::size_t /*bytes*/) {
  throw_no_cuda(kMemory);
}

void clear_gpu(const Queue& /*queue*/, void* /*memory*/, std::size_t /*bytes*/) {
  throw_no_cuda(kMemory);
}

std::size_t pinned_bytes() { return 0; }

}  // namespace rallrec::detail
