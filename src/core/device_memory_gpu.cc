#include "core/device_memory_gpu.h"

#include <algorithm>
#include <cstring>

#include "core/cuda_handle.h"
#include "core/launch.h"

namespace rallrec::detail {
namespace {

// Copies go through page-locked memory of this size, piece by piece: a stream keeps the order of
// such copies, and that of a copy from pageable memory is left to the driver.
constexpr std::size_t kPiece = std::size_t{16} << 20;

// Calls piece(staging, offset, bytes) for consecutive pieces.
template <typename Piece>
void in_pieces(std::size_t bytes, const Piece& piece) {
  const PinnedBuffer<unsigned char> staging(std::min(bytes, kPiece));
  for (std::size_t offset = 0; offset < bytes; offset += kPiece) {
    piece(staging.get(), offset, std::min(kPiece, bytes - offset));
  }
}

void wait_for(const Queue& queue) {
  check_cuda(cudaStreamSynchronize(stream_of(queue)), "waiting for a copy");
}

}  // namespace

void* allocate_gpu(std::size_t bytes, const char* setting) {
  void* memory = nullptr;
  check_cuda_memory(cudaMalloc(&memory, bytes), bytes, "allocating an array on the GPU", setting);
  return memory;
}

void release_gpu(void* memory) noexcept { cudaFree(memory); }

void copy_to_gpu(const Queue& queue, void* device, const void* host, std::size_t bytes) {
  in_pieces(bytes, [&](unsigned char* staging, std::size_t offset, std::size_t count) {
    std::memcpy(staging, static_cast<const unsigned char*>(host) + offset, count);
    check_cuda(cudaMemcpyAsync(static_cast<unsigned char*>(device) + offset, staging, count,
                               cudaMemcpyHostToDevice, stream_of(queue)),
               "copying to the GPU");
    wait_for(queue);
  });
}

void copy_from_gpu(const Queue& queue, void* host, const void* device, std::size_t bytes) {
  in_pieces(bytes, [&](unsigned char* staging, std::size_t offset, std::size_t count) {
    check_cuda(cudaMemcpyAsync(staging, static_cast<const unsigned char*>(device) + offset, count,
                               cudaMemcpyDeviceToHost, stream_of(queue)),
               "copying from the GPU");
    wait_for(queue);
    std::memcpy(static_cast<unsigned char*>(host) + offset, staging, count);
  });
}

void copy_on_gpu(const Queue& queue, void* to, const void* from, std::size_t bytes) {
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_of(queue)),
             "copying on the GPU");
}

void clear_gpu(const Queue& queue, void* memory, std::size_t bytes) {
  check_cuda(cudaMemsetAsync(memory, 0, bytes, stream_of(queue)), "clearing memory of the GPU");
}

}  // namespace rallrec::detail
