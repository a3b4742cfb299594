#include "distributed/tree_reduction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/rng.h"
#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::distributed {
namespace {

using Leaves = std::vector<std::vector<float>>;

Leaves random_leaves(std::size_t leaves, std::size_t count, std::uint64_t seed) {
  Rng rng(seed);
  Leaves all(leaves, std::vector<float>(count));
  for (std::vector<float>& leaf : all) {
    for (float& value : leaf) {
      value = static_cast<float>(rng.next_normal() * std::pow(10.0, 6.0 * rng.next_double() - 3.0));
    }
  }
  return all;
}

// The definition, top down: a node of more than one leaf splits at the largest power of two below
// its length. Independent of the bottom-up merging under test.
float tree_sum(const Leaves& leaves, std::size_t begin, std::size_t end, std::size_t element) {
  if (end - begin == 1) {
    return leaves[begin][element];
  }
  std::size_t half = 1;
  while (2 * half < end - begin) {
    half *= 2;
  }
  return tree_sum(leaves, begin, begin + half, element) +
         tree_sum(leaves, begin + half, end, element);
}

std::vector<float> tree_sums(const Leaves& leaves, std::size_t count) {
  std::vector<float> sums(count);
  for (std::size_t i = 0; i < count && !leaves.empty(); ++i) {
    sums[i] = tree_sum(leaves, 0, leaves.size(), i);
  }
  return sums;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

std::vector<const float*> pointers(const Leaves& leaves, Range range) {
  std::vector<const float*> mine;
  for (std::size_t leaf = range.begin; leaf < range.end; ++leaf) {
    mine.push_back(leaves[leaf].data());
  }
  return mine;
}

// Sums over as many thread ranks as there are cuts + 1; rank r has [cuts[r - 1], cuts[r]).
void expect_tree_bits(const Leaves& leaves, std::size_t count, std::vector<std::size_t> cuts) {
  const std::vector<float> expected = tree_sums(leaves, count);
  cuts.insert(cuts.begin(), 0);
  cuts.push_back(leaves.size());
  const int ranks = static_cast<int>(cuts.size()) - 1;
  run_thread_ranks(ranks, [&](Communicator& group) {
    const auto me = static_cast<std::size_t>(group.rank());
    const Range mine{cuts[me], cuts[me + 1]};
    std::vector<float> output(count, -1.0F);
    tree_all_reduce(group, leaves.size(), mine, pointers(leaves, mine), output.data(), count);
    EXPECT_TRUE(same_bits(output, expected))
        << leaves.size() << " leaves, " << ranks << " ranks, rank " << group.rank();
    // All at once, and in two parts.
    for (const std::size_t first : {mine.size(), mine.size() / 3}) {
      TreeReduction at_once(leaves.size(), mine, count);
      at_once.add_all(pointers(leaves, {mine.begin, mine.begin + first}));
      at_once.add_all(pointers(leaves, {mine.begin + first, mine.end}));
      std::fill(output.begin(), output.end(), -1.0F);
      at_once.finish(group, output.data());
      EXPECT_TRUE(same_bits(output, expected)) << leaves.size() << " leaves, first " << first;
    }
  });
}

TEST(TreeReduction, HasTheTreesBitsAtAnyRankCountAndCut) {
  Rng rng(11);
  for (const std::size_t leaves : {0, 1, 2, 3, 5, 7, 8, 13, 16, 24, 31, 64}) {
    for (const std::size_t count : {0, 1, 3, 101}) {
      const Leaves all = random_leaves(leaves, count, leaves * 1000 + count);
      for (std::size_t ranks = 1; ranks <= 4; ++ranks) {
        for (int trial = 0; trial < 4; ++trial) {
          std::vector<std::size_t> cuts;
          for (std::size_t i = 1; i < ranks; ++i) {
            cuts.push_back(rng.next_below(leaves + 1));
          }
          std::sort(cuts.begin(), cuts.end());
          expect_tree_bits(all, count, cuts);
        }
      }
    }
  }
}

TEST(TreeReduction, AddsALongListAtOnceWithTheBitsOfOneThread) {
  constexpr std::size_t kCount = 20011;
  const Leaves all = random_leaves(11, kCount, 9);
  for (const int threads : {1, 3}) {
    const rallrec::testing::ThreadCountGuard guard(threads);
    LocalCommunicator group;
    TreeReduction reduction(all.size(), {0, all.size()}, kCount);
    reduction.add_all(pointers(all, {0, all.size()}));
    std::vector<float> output(kCount);
    reduction.finish(group, output.data());
    EXPECT_TRUE(same_bits(output, tree_sums(all, kCount)));
  }
}

TEST(TreeReduction, EmptyRanksAndAnEvenSplit) {
  const Leaves all = random_leaves(12, 1000, 5);
  expect_tree_bits(all, 1000, {0, 0, 12});
  expect_tree_bits(all, 1000, {12});
  expect_tree_bits(
      all, 1000,
      {split_evenly(12, 4, 0).end, split_evenly(12, 4, 1).end, split_evenly(12, 4, 2).end});
}

// The test would mean nothing if the values summed to the same bits in any order.
TEST(TreeReduction, DiffersFromASequentialSum) {
  const Leaves all = random_leaves(16, 200, 3);
  std::vector<float> sequential = all[0];
  for (std::size_t leaf = 1; leaf < all.size(); ++leaf) {
    for (std::size_t i = 0; i < sequential.size(); ++i) {
      sequential[i] += all[leaf][i];
    }
  }
  EXPECT_FALSE(same_bits(sequential, tree_sums(all, 200)));
}

TEST(TreeReduction, RejectsMissingAndExtraLeaves) {
  LocalCommunicator group;
  const float leaf = 1.0F;
  float output = 0.0F;
  TreeReduction missing(2, {0, 2}, 1);
  missing.add(&leaf);
  EXPECT_THROW(missing.finish(group, &output), Error);
  missing.add(&leaf);
  EXPECT_THROW(missing.add(&leaf), Error);
  EXPECT_THROW(missing.add_all({&leaf}), Error);
  TreeReduction gap(3, {0, 1}, 1);
  gap.add(&leaf);
  EXPECT_THROW(gap.finish(group, &output), Error);
}

TEST(SplitEvenly, CoversInOrderWithTheRemainderFirst) {
  EXPECT_EQ(split_evenly(7, 3, 0), (Range{0, 3}));
  EXPECT_EQ(split_evenly(7, 3, 1), (Range{3, 5}));
  EXPECT_EQ(split_evenly(7, 3, 2), (Range{5, 7}));
  EXPECT_EQ(split_evenly(1, 3, 2), (Range{1, 1}));
  EXPECT_EQ(split_evenly(0, 2, 1), (Range{0, 0}));
}

}  // namespace
}  // namespace rallrec::distributed
