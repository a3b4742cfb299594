#include "core/pinned_pool.h"

#include <algorithm>
#include <utility>

#include "core/cuda_handle.h"

namespace rallrec {
namespace {

constexpr std::size_t kSmallest = 4096;

// Powers of two, so that copies of about one size share blocks.
std::size_t rounded(std::size_t bytes) {
  std::size_t size = kSmallest;
  while (size < bytes) {
    size *= 2;
  }
  return size;
}

}  // namespace

struct PinnedPool::Block {
  Block(int of_device, std::size_t bytes) : device(of_device), memory(bytes) {}

  int device;
  PinnedBuffer<unsigned char> memory;
  CudaEvent used;  // behind the last copy; of `device`
};

PinnedPool::PinnedPool(std::size_t most_bytes) : most_bytes_(most_bytes) {}

PinnedPool::~PinnedPool() { clear(); }

PinnedPool::Lease::Lease(PinnedPool& pool, std::size_t bytes, cudaStream_t stream)
    : pool_(pool), stream_(stream), block_(pool.take(rounded(bytes))) {}

PinnedPool::Lease::~Lease() { pool_.give(std::move(block_), stream_); }

unsigned char* PinnedPool::Lease::get() const { return block_->memory.get(); }

std::unique_ptr<PinnedPool::Block> PinnedPool::take(std::size_t bytes) {
  int device = 0;
  check_cuda(cudaGetDevice(&device), "asking for the current device");
  const std::lock_guard<std::mutex> lock(mutex_);
  auto block = find(device, bytes);
  if (block == nullptr) {
    make_room(bytes);
    block = allocate(device, bytes);
  }
  return block;
}

// The smallest block that is large enough and whose copy has finished.
std::unique_ptr<PinnedPool::Block> PinnedPool::find(int device, std::size_t bytes) {
  auto best = idle_.end();
  for (auto it = idle_.begin(); it != idle_.end(); ++it) {
    const Block& block = **it;
    const bool fits = block.device == device && block.memory.bytes() >= bytes;
    const bool better = best == idle_.end() || block.memory.bytes() < (*best)->memory.bytes();
    if (fits && better && block.used.reached()) {
      best = it;
    }
  }
  if (best == idle_.end()) {
    return nullptr;
  }
  auto block = std::move(*best);
  idle_.erase(best);
  return block;
}

// Drops blocks in the order in which they were given back until `bytes` more are within the bound.
void PinnedPool::make_room(std::size_t bytes) {
  while (!idle_.empty() && bytes_ + bytes > most_bytes_) {
    auto oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
    drop(std::move(oldest));
  }
}

std::unique_ptr<PinnedPool::Block> PinnedPool::allocate(int device, std::size_t bytes) {
  auto block = std::make_unique<Block>(device, bytes);
  bytes_ += bytes;
  return block;
}

void PinnedPool::drop(std::unique_ptr<Block> block) noexcept {
  // Before the event goes, which would forget the copy; freeing the memory waits too, but for the
  // current device alone.
  try {
    block->used.synchronize();
  } catch (const Error&) {
    // The device has failed; nothing uses the block any more.
  }
  bytes_ -= block->memory.bytes();
}

void PinnedPool::give(std::unique_ptr<Block> block, cudaStream_t stream) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  try {
    block->used.record(stream);
    idle_.push_back(std::move(block));
  } catch (...) {
    cudaStreamSynchronize(stream);
    bytes_ -= block->memory.bytes();
  }
}

void PinnedPool::clear() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto& block : std::exchange(idle_, {})) {
    drop(std::move(block));
  }
}

std::size_t PinnedPool::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

}  // namespace rallrec
