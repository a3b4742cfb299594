#include "text/byte_pair_merger.h"

#include <gtest/gtest.h>

#include <map>

#include "core/rng.h"

namespace rallrec::text {
namespace {

using Symbols = std::vector<std::int32_t>;

// The definition itself: look at all pairs, merge the leftmost of the smallest rank, start again.
std::vector<std::int64_t> by_definition(Symbols symbols, const MergeTable& table) {
  while (true) {
    std::size_t best = 0;
    Merge best_merge;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const Merge merge = table.find(symbols[i], symbols[i + 1]);
      if (merge.rank >= 0 && (best_merge.rank < 0 || merge.rank < best_merge.rank)) {
        best = i;
        best_merge = merge;
      }
    }
    if (best_merge.rank < 0) {
      return {symbols.begin(), symbols.end()};
    }
    symbols[best] = best_merge.token;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

// Random merges over a small alphabet; each makes a new token, as in a real vocabulary.
MergeTable random_table(Rng& rng, std::int32_t letters, std::int32_t merges) {
  MergeTable table(static_cast<std::size_t>(merges));
  for (std::int32_t rank = 0; rank < merges;) {
    const auto left = static_cast<std::int32_t>(rng.next_below(letters + rank));
    const auto right = static_cast<std::int32_t>(rng.next_below(letters + rank));
    rank += table.insert(left, right, {rank, letters + rank}) ? 1 : 0;
  }
  return table;
}

TEST(BytePairMerger, FollowsTheDefinition) {
  Rng rng(11);
  BytePairMerger merger;
  for (int round = 0; round < 400; ++round) {
    const MergeTable table = random_table(rng, 3, 1 + static_cast<std::int32_t>(round % 40));
    Symbols symbols(rng.next_below(60));
    for (std::int32_t& symbol : symbols) {
      symbol = static_cast<std::int32_t>(rng.next_below(3));
    }
    std::vector<std::int64_t> ids;
    merger.merge(symbols, table, ids);
    ASSERT_EQ(ids, by_definition(symbols, table)) << "round " << round;
  }
}

TEST(MergeTable, FindsWhatWasInsertedAndNothingElse) {
  Rng rng(3);
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> model;
  MergeTable table(5000);
  for (std::int32_t i = 0; i < 5000; ++i) {
    const std::pair pair(static_cast<std::int32_t>(rng.next_below(200)),
                         static_cast<std::int32_t>(rng.next_below(200)));
    EXPECT_EQ(table.insert(pair.first, pair.second, {i, i}), model.emplace(pair, i).second);
  }
  for (std::int32_t left = 0; left < 200; ++left) {
    for (std::int32_t right = 0; right < 200; ++right) {
      const auto found = model.find({left, right});
      ASSERT_EQ(table.find(left, right).rank, found == model.end() ? -1 : found->second);
    }
  }
  EXPECT_EQ(MergeTable(0).find(0, 0).rank, -1);
}

}  // namespace
}  // namespace rallrec::text
