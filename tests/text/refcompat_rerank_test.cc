#include "text/refcompat_rerank.h"

#include <gtest/gtest.h>

#include <numeric>

namespace rallrec::text {
namespace {

using Places = std::vector<std::int32_t>;

// The example of eq. 8: a history t1 … t8, of which t2, t5, t1, t6 are most similar.
const Places kSimilar = {2, 5, 1, 6, 3, 4, 7, 8};
const Places kNewest = {8, 7, 6, 5, 4, 3, 2, 1};

TEST(RerankTwoThirds, GivesTheWorkedExampleOfEachNotebook) {
  EXPECT_EQ(rerank_two_thirds(TwoThirds::kMovieLens, kSimilar, kNewest, 8, 4),
            (Places{6, 5, 7, 8}));
  EXPECT_EQ(rerank_two_thirds(TwoThirds::kAmazon, kSimilar, kNewest, 8, 4), (Places{6, 5, 7, 8}));
  EXPECT_EQ(rerank_two_thirds(TwoThirds::kBookCrossing, kSimilar, kNewest, 8, 4),
            (Places{2, 5, 8, 7}));
}

TEST(RerankTwoThirds, ShowsAShortHistoryInTheOrderOfItsNotebook) {
  const Places similar = {2, 1, 3};
  const Places newest = {3, 2, 1};
  EXPECT_EQ(rerank_two_thirds(TwoThirds::kMovieLens, similar, newest, 3, 3), (Places{3, 2, 1}));
  EXPECT_EQ(rerank_two_thirds(TwoThirds::kAmazon, similar, newest, 3, 3), similar);
  EXPECT_EQ(rerank_two_thirds(TwoThirds::kBookCrossing, similar, newest, 3, 3), similar);
  EXPECT_TRUE(rerank_two_thirds(TwoThirds::kMovieLens, {}, {}, 0, 3).empty());
}

TEST(RerankTwoThirds, TakesTwentyBySimilarityOfThirty) {
  Places newest(100);
  std::iota(newest.rbegin(), newest.rend(), 0);
  const Places similar(newest.rbegin(), newest.rend());  // the oldest are most similar
  const Places shown = rerank_two_thirds(TwoThirds::kBookCrossing, similar, newest, 100, 30);
  ASSERT_EQ(shown.size(), 30U);
  EXPECT_EQ(shown[19], 19);
  EXPECT_EQ(shown[20], 99);
  EXPECT_EQ(shown[29], 90);
}

TEST(RerankTwoThirds, GoesByTheReader) {
  EXPECT_EQ(two_thirds_of("movielens-1m"), TwoThirds::kMovieLens);
  EXPECT_EQ(two_thirds_of("atomic"), TwoThirds::kMovieLens);
  EXPECT_EQ(two_thirds_of("amazon"), TwoThirds::kAmazon);
  EXPECT_EQ(two_thirds_of("book-crossing"), TwoThirds::kBookCrossing);
}

}  // namespace
}  // namespace rallrec::text
