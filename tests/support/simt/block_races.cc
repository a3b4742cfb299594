#include "tests/support/simt/block_races.h"

#include "tests/support/simt/code_name.h"
#include "tests/support/simt/memory.h"

namespace rallrec::simt {

void BlockRaces::begin_block(std::uint64_t launch, std::uint64_t block) {
  if (launch != launch_) {
    known_ = {};
  }
  launch_ = launch;
  block_ = static_cast<std::int64_t>(block);
}

void BlockRaces::forget() {
  pages_.clear();
  known_ = {};
}

bool BlockRaces::on_device(const char* address) {
  for (const Range& range : known_) {
    if (address >= range.begin && address < range.end) {
      return true;
    }
  }
  Range range;
  if (!find_allocation(MemoryKind::kDevice, address, range.begin, range.end)) {
    return false;
  }
  known_[next_known_] = range;
  next_known_ = (next_known_ + 1) % known_.size();
  return true;
}

BlockRaces::Cell& BlockRaces::cell_of(std::uintptr_t address) {
  auto& page = pages_[address / kPage];
  if (page == nullptr) {
    page = std::make_unique<Page>();
  }
  Cell& cell = (*page)[address % kPage];
  if (cell.launch != launch_) {
    cell = Cell{};
    cell.launch = launch_;
  }
  return cell;
}

std::string BlockRaces::access(const void* address, std::size_t bytes, Access access,
                               const void* code) {
  const auto* first = static_cast<const char*>(address);
  if (!on_device(first)) {
    return {};
  }
  for (std::size_t i = 0; i < bytes; ++i) {
    Cell& cell = cell_of(reinterpret_cast<std::uintptr_t>(first) + i);
    const bool both_atomic = access == Access::kAtomic && cell.atomic;
    const bool other_wrote = cell.writer != kNobody && cell.writer != block_ && !both_atomic;
    const bool other_read = cell.reader != kNobody && cell.reader != block_;
    if (other_wrote || (access != Access::kRead && other_read)) {
      return "data race between blocks of one launch: this one " +
             std::string(access == Access::kRead ? "reads" : "writes") +
             " device memory that another one " + (other_wrote ? "wrote" : "read") + "; at " +
             code_name(code);
    }
    if (access == Access::kRead) {
      cell.reader = cell.reader == kNobody || cell.reader == block_ ? block_ : kSeveral;
    } else {
      cell.writer = block_;
      cell.atomic = access == Access::kAtomic;
    }
  }
  return {};
}

}  // namespace rallrec::simt
