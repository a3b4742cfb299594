#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace rallrec {

// Page-locked host memory that is kept from copy to copy: taking it anew costs more than a small
// copy does. A block is handed out again only when the copy it was last used for has finished,
// which an event behind that copy tells. Safe for several threads; each GPU has blocks of its own,
// by the calling thread's current device.
class PinnedPool {
 public:
  struct Block;

  // Holds at most `most_bytes` at once, but for a single larger block.
  explicit PinnedPool(std::size_t most_bytes);
  ~PinnedPool();
  PinnedPool(const PinnedPool&) = delete;
  PinnedPool& operator=(const PinnedPool&) = delete;

  // Memory for one copy. Going out of scope it gives the block back: usable again once what
  // `stream` held at that moment is done.
  class Lease {
   public:
    Lease(PinnedPool& pool, std::size_t bytes, cudaStream_t stream);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    unsigned char* get() const;

   private:
    PinnedPool& pool_;
    cudaStream_t stream_;
    std::unique_ptr<Block> block_;
  };

  // Gives back what no lease holds; waits for its copies. Never throws.
  void clear() noexcept;

  // Bytes that are allocated, leased or not.
  std::size_t bytes() const;

 private:
  std::unique_ptr<Block> take(std::size_t bytes);
  std::unique_ptr<Block> find(int device, std::size_t bytes);
  void make_room(std::size_t bytes);
  std::unique_ptr<Block> allocate(int device, std::size_t bytes);
  void drop(std::unique_ptr<Block> block) noexcept;
  void give(std::unique_ptr<Block> block, cudaStream_t stream) noexcept;

  std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::vector<std::unique_ptr<Block>> idle_;  // the one given back first comes first
};

}  // namespace rallrec
