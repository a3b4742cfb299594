#include "text/byte_pair_merger.h"

#include <algorithm>
#include <tuple>

namespace rallrec::text {

void BytePairMerger::link(const std::vector<std::int32_t>& symbols) {
  const auto count = static_cast<std::int32_t>(symbols.size());
  symbols_.clear();
  for (std::int32_t i = 0; i < count; ++i) {
    symbols_.push_back({symbols[i], i - 1, i + 1 < count ? i + 1 : -1});
  }
}

// std's heap keeps the largest in front, so "larger" is the pair to be merged earlier.
constexpr auto kMergesLater = [](const auto& a, const auto& b) {
  return std::tie(a.rank, a.position) > std::tie(b.rank, b.position);
};

void BytePairMerger::offer(std::int32_t left, const MergeTable& table) {
  const std::int32_t right = symbols_[left].next;
  if (right < 0) {
    return;
  }
  const Merge merge = table.find(symbols_[left].token, symbols_[right].token);
  if (merge.rank >= 0) {
    heap_.push_back({merge.rank, left, merge.token});
    std::push_heap(heap_.begin(), heap_.end(), kMergesLater);
  }
}

void BytePairMerger::apply(const Candidate& candidate, const MergeTable& table) {
  Symbol& left = symbols_[candidate.position];
  if (left.token < 0 || left.next < 0 ||
      table.find(left.token, symbols_[left.next].token).token != candidate.token) {
    return;
  }
  Symbol& right = symbols_[left.next];
  left.token = candidate.token;
  left.next = right.next;
  right.token = -1;
  if (left.next >= 0) {
    symbols_[left.next].previous = candidate.position;
  }
  if (left.previous >= 0) {
    offer(left.previous, table);
  }
  offer(candidate.position, table);
}

void BytePairMerger::merge(const std::vector<std::int32_t>& symbols, const MergeTable& table,
                           std::vector<std::int64_t>& ids) {
  if (symbols.empty()) {
    return;
  }
  link(symbols);
  heap_.clear();
  for (std::size_t i = 0; i + 1 < symbols_.size(); ++i) {
    offer(static_cast<std::int32_t>(i), table);
  }
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), kMergesLater);
    const Candidate candidate = heap_.back();
    heap_.pop_back();
    apply(candidate, table);
  }
  // The first symbol is never swallowed.
  for (std::int32_t i = 0; i >= 0; i = symbols_[i].next) {
    ids.push_back(symbols_[i].token);
  }
}

}  // namespace rallrec::text
