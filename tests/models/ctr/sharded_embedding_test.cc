#include "models/ctr/sharded_embedding.h"

#include <gtest/gtest.h>

#include <set>

#include "distributed/partition.h"
#include "distributed/thread_communicator.h"

namespace rallrec::models::ctr {
namespace {

using distributed::Communicator;

constexpr std::int64_t kWidth = 3;

float value_of(std::int64_t row, std::int64_t column) {
  return static_cast<float>(10 * row + column);
}

ShardedEmbedding filled(std::int64_t rows, Communicator& communicator) {
  ShardedEmbedding table(rows, kWidth, distributed::cpu_place(communicator));
  table.fill([](std::int64_t row, float* values) {
    for (std::int64_t k = 0; k < kWidth; ++k) values[k] = value_of(row, k);
  });
  return table;
}

std::vector<float> looked_up(ShardedEmbedding& table, const std::vector<std::int32_t>& rows) {
  DeviceArray<float> found;
  table.lookup(rows, found);
  return found.host();
}

TEST(RowPlaces, GiveEachRowOnePlace) {
  for (const std::int64_t rows : {1, 2, 3, 7, 100, 1000}) {
    for (const int ranks : {1, 2, 3, 4}) {
      const RowPlaces places(rows, ranks);
      std::set<std::pair<int, std::int64_t>> used;
      for (std::int64_t row = 0; row < rows; ++row) {
        const int owner = places.owner(row);
        ASSERT_LT(owner, ranks);
        ASSERT_LT(places.place(row), places.rows_of(owner));
        used.emplace(owner, places.place(row));
      }
      EXPECT_EQ(static_cast<std::int64_t>(used.size()), rows) << rows << ' ' << ranks;
    }
  }
}

TEST(RowPlaces, SpreadNeighbours) {
  const RowPlaces places(1000, 4);
  int counts[4] = {};
  for (std::int64_t row = 0; row < 40; ++row) ++counts[places.owner(row)];
  for (const int count : counts) EXPECT_NEAR(count, 10, 5);
}

// Each rank asks for rows of its own, one for none at all.
TEST(ShardedEmbedding, LookupFindsRowsWhoeverOwnsThem) {
  for (const int ranks : {1, 2, 4}) {
    distributed::run_thread_ranks(ranks, [&](Communicator& communicator) {
      ShardedEmbedding table = filled(23, communicator);
      std::vector<std::int32_t> rows;
      for (int i = 0; i < 6 * communicator.rank() + (ranks == 1 ? 5 : 0); ++i) {
        rows.push_back((5 * i + communicator.rank()) % 23);
      }
      const std::vector<float> found = looked_up(table, rows);
      ASSERT_EQ(found.size(), rows.size() * kWidth);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::int64_t k = 0; k < kWidth; ++k) {
          ASSERT_EQ(found[i * kWidth + static_cast<std::size_t>(k)], value_of(rows[i], k));
        }
      }
    });
  }
}

// A list of gradients whose fp32 sum depends on its order, cut over the ranks.
TEST(ShardedEmbedding, ReduceAddsInTheOrderOfTheWholeList) {
  constexpr std::size_t kEntries = 40;
  const auto row_at = [](std::size_t i) { return static_cast<std::int32_t>(i * i % 5); };
  const auto gradient_at = [](std::size_t i) {
    return (i % 3 == 0 ? 1e8F : 1.0F) * static_cast<float>(i % 7 + 1) * (i % 2 == 0 ? 1.0F : -1.0F);
  };
  std::vector<float> want(5 * kWidth);
  for (std::size_t i = 0; i < kEntries; ++i) {
    for (std::int64_t k = 0; k < kWidth; ++k) {
      want[static_cast<std::size_t>(row_at(i) * kWidth + k)] += gradient_at(i);
    }
  }
  for (const int ranks : {1, 2, 3, 4}) {
    distributed::run_thread_ranks(ranks, [&](Communicator& communicator) {
      ShardedEmbedding table(5, kWidth, distributed::cpu_place(communicator));
      const auto mine = distributed::split_evenly(kEntries, ranks, communicator.rank());
      std::vector<std::int32_t> rows;
      std::vector<float> gradients;
      for (std::size_t i = mine.begin; i < mine.end; ++i) {
        rows.push_back(row_at(i));
        gradients.insert(gradients.end(), kWidth, gradient_at(i));
      }
      ShardedEmbedding::Gradients own{Queue{}};
      table.reduce(rows, gradients.data(), own);
      const std::vector<float> sums = own.sums.host();
      const RowPlaces places(5, ranks);
      std::int64_t seen = 0;
      for (std::int32_t row = 0; row < 5; ++row) {
        for (std::size_t g = 0; g < own.places.size(); ++g) {
          if (places.owner(row) == communicator.rank() && own.places[g] == places.place(row)) {
            ++seen;
            EXPECT_EQ(sums[g * kWidth], want[static_cast<std::size_t>(row * kWidth)]);
          }
        }
      }
      EXPECT_EQ(seen, static_cast<std::int64_t>(own.places.size()));
      communicator.all_reduce(&seen, 1, distributed::DType::kInt64);
      EXPECT_EQ(seen, 3);  // squares are 0, 1 or 4 modulo 5
    });
  }
}

TEST(ShardedEmbedding, MoreRanksThanRows) {
  distributed::run_thread_ranks(4, [](Communicator& communicator) {
    ShardedEmbedding table = filled(2, communicator);
    EXPECT_EQ(looked_up(table, {1, 0}), (std::vector<float>{10, 11, 12, 0, 1, 2}));
    ShardedEmbedding::Gradients own{Queue{}};
    const std::vector<float> gradients = {1, 2, 3};
    table.reduce({1}, gradients.data(), own);
    std::int64_t rows = static_cast<std::int64_t>(own.places.size());
    if (rows == 1) {
      EXPECT_EQ(own.sums.host(), (std::vector<float>{4, 8, 12}));
    }
    communicator.all_reduce(&rows, 1, distributed::DType::kInt64);
    EXPECT_EQ(rows, 1);
  });
}

// docs/parallelism.md: 8 bytes per rank, 4 per row and 4 · width per row, once each way.
TEST(ShardedEmbedding, SendsTheBytesThatItSays) {
  distributed::run_thread_ranks(2, [](Communicator& communicator) {
    ShardedEmbedding table = filled(23, communicator);
    std::vector<std::int32_t> rows = {0, 1, 2, 3, 4, 5, 6};
    const std::uint64_t before = communicator.bytes_sent();
    const std::vector<float> found = looked_up(table, rows);
    std::uint64_t sent = communicator.bytes_sent() - before;
    communicator.all_reduce(&sent, 1, distributed::DType::kInt64);
    EXPECT_EQ(sent, 2U * (2 * 8 + 7 * 4 + 7 * 4 * kWidth));
    const std::uint64_t again = communicator.bytes_sent();
    ShardedEmbedding::Gradients own{Queue{}};
    table.reduce(rows, found.data(), own);
    EXPECT_EQ(communicator.bytes_sent() - again, 2U * 8 + 7 * 4 + 7 * 4 * kWidth);
  });
}

}  // namespace
}  // namespace rallrec::models::ctr
