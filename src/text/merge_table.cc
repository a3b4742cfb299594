#include "text/merge_table.h"

namespace rallrec::text {
namespace {

std::uint64_t key_of(std::int32_t left, std::int32_t right) {
  return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

// The finaliser of MurmurHash3: ids are small and dense, so all bits must be mixed.
std::uint64_t mix(std::uint64_t value) {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdULL;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53ULL;
  return value ^ (value >> 33);
}

}  // namespace

MergeTable::MergeTable(std::size_t count) {
  std::size_t capacity = 16;
  while (capacity < count * 5 / 3) {
    capacity *= 2;
  }
  slots_.resize(capacity);
}

std::size_t MergeTable::slot_of(std::uint64_t key) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = mix(key) & mask;
  while (slots_[slot].key != key && slots_[slot].key != kEmpty) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

bool MergeTable::insert(std::int32_t left, std::int32_t right, Merge merge) {
  const std::uint64_t key = key_of(left, right);
  Slot& slot = slots_[slot_of(key)];
  if (slot.key == key) {
    return false;
  }
  slot = {key, merge};
  return true;
}

Merge MergeTable::find(std::int32_t left, std::int32_t right) const {
  return slots_[slot_of(key_of(left, right))].merge;
}

}  // namespace rallrec::text
