#include "models/graph/row_exchange.h"

#include <gtest/gtest.h>

#include "distributed/thread_communicator.h"
#include "tests/models/graph/bipartite_edges.h"

namespace rallrec::models {
namespace {

constexpr std::int64_t kWidth = 3;

float value_of(std::int64_t node, std::int64_t column) {
  return static_cast<float>(100 * node + column);
}

// Fills the rows of others and says what every row then holds.
void expect_filled(RowExchange& exchange, const distributed::Place& place) {
  std::vector<float> values(static_cast<std::size_t>(exchange.rows() * kWidth), -1.0F);
  for (std::int64_t row = exchange.own_begin(); row < exchange.own_end(); ++row) {
    for (std::int64_t k = 0; k < kWidth; ++k) {
      values[row * kWidth + k] = value_of(exchange.nodes()[row], k);
    }
  }
  DeviceArray<float> rows(place.queue, "test", values);
  const std::uint64_t before = place.device.bytes_sent();
  exchange.fill(rows);
  EXPECT_EQ(place.device.bytes_sent() - before, exchange.bytes_per_fill());
  values = rows.host();
  for (std::int64_t row = 0; row < exchange.rows(); ++row) {
    for (std::int64_t k = 0; k < kWidth; ++k) {
      ASSERT_EQ(values[row * kWidth + k], value_of(exchange.nodes()[row], k)) << row;
    }
  }
}

// Every neighbour of an own node is held; places and nodes are each other's inverse.
void expect_neighbours_held(const RowExchange& exchange, const Adjacency& adjacency) {
  const distributed::Range own = exchange.own_nodes();
  for (std::int64_t e = adjacency.offsets[own.begin]; e < adjacency.offsets[own.end]; ++e) {
    ASSERT_GE(exchange.places()[adjacency.neighbours[e]], 0);
  }
  std::int64_t held = 0;
  for (std::size_t node = 0; node < exchange.places().size(); ++node) {
    if (const std::int32_t place = exchange.places()[node]; place >= 0) {
      ++held;
      ASSERT_EQ(exchange.nodes()[place], static_cast<std::int32_t>(node));
    }
  }
  EXPECT_EQ(held, exchange.rows());
}

void expect_exchange(const Adjacency& adjacency, int ranks, bool by_halo) {
  distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
    const auto place = distributed::cpu_place(communicator);
    RowExchange exchange(adjacency, kWidth, place);
    EXPECT_EQ(exchange.by_halo(), by_halo) << ranks;
    expect_neighbours_held(exchange, adjacency);
    expect_filled(exchange, place);
    if (by_halo) {
      EXPECT_LT(exchange.rows(), adjacency.nodes());
    }
  });
}

TEST(RowExchange, ASparseGraphIsExchangedByHalo) {
  const Adjacency adjacency = adjacency_of(random_edges(40, 60, 20));
  for (const int ranks : {2, 3, 5}) {
    expect_exchange(adjacency, ranks, true);
  }
}

TEST(RowExchange, WhereEverybodyNeedsEverythingItIsGathered) {
  const Adjacency adjacency = adjacency_of(Edges(8, std::vector<bool>(8, true)));
  for (const int ranks : {1, 2}) {
    expect_exchange(adjacency, ranks, false);
  }
}

// Of three ranks the first owns three users. By halo it sends five rows; in a gather it would send
// each of its rows to both others.
TEST(RowExchange, AGatherCostsItsSenderEveryOtherRank) {
  expect_exchange(adjacency_of({{true, true}, {false, true}, {true, true}, {true, false}}), 3,
                  true);
}

TEST(RowExchange, RanksWithoutRowsTakePart) {
  const Adjacency adjacency = adjacency_of({{true, false}, {false, true}});
  expect_exchange(adjacency, 7, true);
}

TEST(RowExchange, GatheredRowsAreInNodeOrder) {
  const Adjacency adjacency = adjacency_of(random_edges(9, 14, 8));
  distributed::run_thread_ranks(3, [&](distributed::Communicator& communicator) {
    const auto place = distributed::cpu_place(communicator);
    RowExchange exchange(adjacency, kWidth, place);
    std::vector<float> values(static_cast<std::size_t>(exchange.rows() * kWidth), -1.0F);
    for (std::int64_t row = exchange.own_begin(); row < exchange.own_end(); ++row) {
      values[row * kWidth] = value_of(exchange.nodes()[row], 0);
    }
    const DeviceArray<float> rows(place.queue, "test", values);
    DeviceArray<float> full(place.queue, "test");
    exchange.gather(rows, full);
    values = full.host();
    ASSERT_EQ(values.size(), static_cast<std::size_t>(23 * kWidth));
    for (std::int64_t node = 0; node < 23; ++node) {
      EXPECT_EQ(values[node * kWidth], value_of(node, 0)) << node;
    }
  });
}

TEST(PartitionNodes, CoversAllNodesByCost) {
  const Adjacency adjacency = adjacency_of(random_edges(50, 60));
  for (const int ranks : {1, 2, 4, 200}) {
    const auto parts = partition_nodes(adjacency, ranks);
    ASSERT_EQ(parts.size(), static_cast<std::size_t>(ranks));
    std::size_t next = 0;
    for (const auto& part : parts) {
      EXPECT_EQ(part.begin, next);
      next = part.end;
    }
    EXPECT_EQ(next, 110u);
  }
  const auto halves = partition_nodes(adjacency, 2);
  const double share = static_cast<double>(adjacency.offsets[halves[0].end]) /
                       static_cast<double>(adjacency.neighbours.size());
  EXPECT_NEAR(share, 0.5, 0.05);
}

}  // namespace
}  // namespace rallrec::models
