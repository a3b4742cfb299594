#include "retrieval/catalogue_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "distributed/thread_communicator.h"
#include "tests/support/random_floats.h"

namespace rallrec::retrieval {
namespace {

using rallrec::testing::random_floats;

constexpr std::int64_t kQueries = 11;
constexpr std::int64_t kItems = 2500;
constexpr std::int64_t kWidth = 24;
constexpr std::int64_t kBest = 7;

// Query q does not want the items that are q modulo 13.
struct Unwanted {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> items;
};

Unwanted unwanted() {
  Unwanted result;
  for (std::int64_t q = 0; q < kQueries; ++q) {
    for (auto item = static_cast<std::int32_t>(q); item < kItems; item += 13) {
      result.items.push_back(item);
    }
    result.offsets.push_back(static_cast<std::int64_t>(result.items.size()));
  }
  return result;
}

double product(const std::vector<float>& queries, std::int64_t q, const std::vector<float>& items,
               std::int64_t item) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < kWidth; ++i) {
    sum += double{queries[q * kWidth + i]} * items[item * kWidth + i];
  }
  return sum;
}

// No wanted item that was not found has a larger product than the last that was.
void expect_best(const CatalogueHits& hits, const std::vector<float>& queries,
                 const std::vector<float>& items) {
  for (std::int64_t q = 0; q < kQueries; ++q) {
    const std::int32_t* found = hits.items.data() + q * kBest;
    const double last = product(queries, q, items, found[kBest - 1]);
    for (std::int32_t item = 0; item < kItems; ++item) {
      const bool is_found = std::find(found, found + kBest, item) != found + kBest;
      if (item % 13 == q) {
        EXPECT_FALSE(is_found) << "query " << q << ", item " << item;
      } else {
        EXPECT_TRUE(is_found || product(queries, q, items, item) < last + 1e-5)
            << "query " << q << ", item " << item;
      }
    }
  }
}

TEST(SearchCatalogue, FindsTheBestWantedItemsOnAnyNumberOfRanks) {
  const auto queries = random_floats(kQueries * kWidth, 1);
  const auto items = random_floats(kItems * kWidth, 2);
  const Unwanted out = unwanted();
  const kernels::NearestTask task{queries.data(), kQueries, items.data(),       kItems,
                                  kWidth,         kBest,    out.offsets.data(), out.items.data()};
  CatalogueHits of_one;
  for (const int ranks : {1, 2, 4, 13}) {
    std::atomic<int> checked{0};
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      const CatalogueHits hits = search_catalogue(task, communicator);
      if (ranks == 1) {
        of_one = hits;
      }
      EXPECT_EQ(hits.items, of_one.items) << ranks << " ranks";
      EXPECT_EQ(hits.scores, of_one.scores) << ranks << " ranks";
      ++checked;
    });
    EXPECT_EQ(checked, ranks);
  }
  expect_best(of_one, queries, items);
}

}  // namespace
}  // namespace rallrec::retrieval
