#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::text {

// What BPE does with two neighbouring tokens.
struct Merge {
  std::int32_t rank = -1;  // smaller merges first; -1 = the pair does not merge
  std::int32_t token = -1;
};

// Read-only lookups after construction; an open-addressed hash table.
class MergeTable {
 public:
  // Room for `count` merges.
  explicit MergeTable(std::size_t count);

  // False where the pair is there already.
  bool insert(std::int32_t left, std::int32_t right, Merge merge);
  Merge find(std::int32_t left, std::int32_t right) const;

 private:
  struct Slot {
    std::uint64_t key = kEmpty;
    Merge merge;
  };
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

  // The slot of `key`, or the empty one where it belongs.
  std::size_t slot_of(std::uint64_t key) const;

  std::vector<Slot> slots_;
};

}  // namespace rallrec::text
