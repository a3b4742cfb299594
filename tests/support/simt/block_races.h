#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "tests/support/simt/race_detector.h"

namespace rallrec::simt {

// Finds two blocks of one launch that touch the same byte of device memory, one of them writing:
// nothing orders blocks, so the result depends on chance. Atomics may meet atomics. Not
// thread-safe.
class BlockRaces {
 public:
  void begin_block(std::uint64_t launch, std::uint64_t block);

  // Empty, or what is wrong. Memory that is not the device's is of no interest.
  std::string access(const void* address, std::size_t bytes, Access access, const void* code);

  // Forgets all memory, which may have been freed.
  void forget();

 private:
  static constexpr std::int64_t kNobody = -1;
  static constexpr std::int64_t kSeveral = -2;
  static constexpr std::size_t kPage = 1024;

  struct Cell {
    std::uint64_t launch = 0;
    std::int64_t writer = kNobody;
    std::int64_t reader = kNobody;
    bool atomic = false;
  };
  using Page = std::array<Cell, kPage>;
  struct Range {
    const char* begin = nullptr;
    const char* end = nullptr;
  };

  bool on_device(const char* address);
  Cell& cell_of(std::uintptr_t address);

  std::uint64_t launch_ = 0;
  std::int64_t block_ = 0;
  std::unordered_map<std::uintptr_t, std::unique_ptr<Page>> pages_;
  std::array<Range, 4> known_;  // allocations met lately
  std::size_t next_known_ = 0;
};

}  // namespace rallrec::simt
