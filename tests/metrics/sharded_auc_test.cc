#include "metrics/sharded_auc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "core/rng.h"
#include "distributed/thread_communicator.h"
#include "metrics/auc.h"

namespace rallrec::metrics {
namespace {

struct Samples {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
};

Samples random_samples(std::size_t n, std::uint64_t distinct) {
  Rng rng(n * 31 + distinct);
  Samples samples;
  for (std::size_t i = 0; i < n; ++i) {
    const auto value = static_cast<double>(rng.next_below(distinct));
    samples.scores.push_back(value / static_cast<double>(distinct));
    samples.labels.push_back(static_cast<std::uint8_t>(rng.next_below(3) == 0));
  }
  return samples;
}

// Ranks have different numbers of samples; the last of several has none.
Samples share_of(const Samples& all, int rank, int ranks) {
  Samples mine;
  const auto with_samples = static_cast<std::size_t>(std::max(ranks - 1, 1));
  for (std::size_t i = 0; i < all.scores.size(); ++i) {
    if ((i * i) % with_samples == static_cast<std::size_t>(rank)) {
      mine.scores.push_back(all.scores[i]);
      mine.labels.push_back(all.labels[i]);
    }
  }
  return mine;
}

// A rank sends what it has once: its runs, and what the ranks agree by.
void expect_equal_to_one_ranking(const Samples& all, int ranks) {
  const std::optional<double> expected = AucRanking(all.scores, all.labels).auc();
  std::atomic<int> checked{0};
  distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
    const Samples mine = share_of(all, communicator.rank(), ranks);
    const std::optional<double> auc = sharded_auc(communicator, mine.scores, mine.labels);
    EXPECT_EQ(auc, expected) << all.scores.size() << " samples, " << ranks << " ranks";
    EXPECT_LE(communicator.bytes_sent(),
              24 * mine.scores.size() + 256 * static_cast<std::size_t>(ranks));
    ++checked;
  });
  EXPECT_EQ(checked, ranks);
}

TEST(ShardedAuc, EqualsTheRankingOfAllScoresToTheBit) {
  for (const std::size_t n : {2U, 7U, 100U, 5000U}) {
    for (const std::uint64_t distinct : {1U, 5U, 1U << 20}) {
      for (const int ranks : {1, 2, 3, 4}) {
        expect_equal_to_one_ranking(random_samples(n, distinct), ranks);
      }
    }
  }
}

TEST(ShardedAuc, IsEmptyForOneClassAndNone) {
  for (const int ranks : {1, 3}) {
    expect_equal_to_one_ranking({}, ranks);
    expect_equal_to_one_ranking({{0.2, 0.7, 0.7}, {1, 1, 1}}, ranks);
    expect_equal_to_one_ranking({{0.2, 0.7, 0.7}, {0, 0, 0}}, ranks);
  }
}

}  // namespace
}  // namespace rallrec::metrics
