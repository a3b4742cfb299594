#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rallrec::simt {

enum class Access { kRead, kWrite, kAtomic };

// Finds two accesses of different threads of a block to one byte of shared memory, one of them a
// write, that nothing orders: no block barrier between them, and no __syncwarp in which both took
// part. Also finds reads of bytes that no thread of the block has written.
//
// Per byte it keeps the last writer and the last two different readers. Not thread-safe.
class RaceDetector {
 public:
  static constexpr unsigned kWarp = 32;

  struct Region {
    const char* begin = nullptr;
    std::size_t bytes = 0;
  };

  // Forgets everything; `statics` and `dynamic` are the shared memory of a new block.
  void begin_block(unsigned threads, Region statics, Region dynamic);

  // All threads have passed a block barrier.
  void block_barrier();
  // The lanes of `mask` of a warp have met in __syncwarp.
  void warp_barrier(unsigned warp, unsigned mask);

  // Empty, or what is wrong. `code` is the address of the instruction.
  std::string access(unsigned thread, const void* address, std::size_t bytes, Access access,
                     const void* code);

  bool covers(const void* address) const;

 private:
  struct Event {
    int thread = -1;
    std::uint32_t phase = 0;  // block barriers passed
    std::uint32_t epoch = 0;  // __syncwarps passed by that thread in this phase
    const void* code = nullptr;
  };
  struct Cell {
    std::uint64_t block = 0;
    bool atomic = false;  // the last write was
    Event write;
    std::array<Event, 2> reads;
  };
  struct Shadow {
    Region region;
    std::vector<Cell> cells;
  };

  Cell* cell_of(const char* address);
  bool ordered(const Event& earlier, unsigned thread) const;
  std::string look(Cell& cell, unsigned thread, Access access);
  void record(Cell& cell, unsigned thread, Access access, const void* code);

  std::uint64_t block_ = 0;
  std::uint32_t phase_ = 0;
  std::array<Shadow, 2> shadows_;
  // known_[thread][lane]: how many epochs of that lane of its own warp a thread has met.
  std::vector<std::array<std::uint32_t, kWarp>> known_;
};

}  // namespace rallrec::simt
