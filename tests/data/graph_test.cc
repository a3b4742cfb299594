#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "core/rng.h"
#include "data/csr_graph.h"
#include "data/graph_edges.h"
#include "tests/data/made_up_data.h"

namespace rallrec::data {
namespace {

TEST(CsrGraph, HoldsEveryDistinctPairOnceInBothDirections) {
  Rng rng(5);
  EdgeList edges;
  std::set<std::pair<std::int32_t, std::int32_t>> expected;
  for (int k = 0; k < 400; ++k) {
    const auto user = static_cast<std::int32_t>(rng.next_below(17));
    const auto item = static_cast<std::int32_t>(rng.next_below(31));
    edges.add(user, item);
    expected.emplace(user, item);
  }
  const CsrGraph graph = make_csr_graph(edges, 18, 33);
  std::set<std::pair<std::int32_t, std::int32_t>> by_user;
  std::set<std::pair<std::int32_t, std::int32_t>> by_item;
  for (std::int32_t user = 0; user < 18; ++user) {
    for (const std::int32_t item : graph.items_of(user)) by_user.emplace(user, item);
    EXPECT_TRUE(std::is_sorted(graph.items_of(user).begin(), graph.items_of(user).end()));
  }
  for (std::int32_t item = 0; item < 33; ++item) {
    for (const std::int32_t user : graph.users_of(item)) by_item.emplace(user, item);
  }
  EXPECT_EQ(graph.edges(), static_cast<std::int64_t>(expected.size()));
  EXPECT_EQ(graph.item_users.size(), expected.size());
  EXPECT_EQ(by_user, expected);
  EXPECT_EQ(by_item, expected);
  for (std::int32_t user = 0; user < 18; ++user) {
    for (std::int32_t item = 0; item < 33; ++item) {
      EXPECT_EQ(graph.has_edge(user, item), expected.count({user, item}) == 1);
    }
  }
  EXPECT_EQ(graph.user_degree(17), 0);
}

TEST(CsrGraph, HandlesNothingAndRefusesStrangeIds) {
  const CsrGraph empty = make_csr_graph({}, 0, 3);
  EXPECT_EQ(empty.edges(), 0);
  EXPECT_EQ(empty.item_degree(2), 0);
  EdgeList edges;
  edges.add(2, 0);
  EXPECT_THROW(make_csr_graph(edges, 2, 1), Error);
  EXPECT_THROW(make_csr_graph(edges, 3, 0), Error);
}

TEST(GraphEdges, HoldsOutTheNewestEdgeOfBusyUsers) {
  EdgeList edges;
  for (std::int32_t item = 0; item < 11; ++item) edges.add(0, item);       // newest item 10: shared
  for (std::int32_t item = 0; item < 10; ++item) edges.add(1, item + 1);   // ten rows: too few
  for (std::int32_t item = 0; item < 11; ++item) edges.add(2, item + 20);  // newest item 30: alone
  const EdgeSplit split = hold_out_newest(edges, 3, 31);
  ASSERT_EQ(split.held_out.size(), 1U);
  EXPECT_EQ(split.held_out.user[0], 0);
  EXPECT_EQ(split.held_out.item[0], 10);
  EXPECT_EQ(split.train.size(), 31U);
}

TEST(GraphEdges, OfSamplesLeavesOutEarlyRowsAndCountsFromItsOwnBound) {
  std::vector<MadeUpRow> rows;
  for (int k = 0; k < 30; ++k) {
    // User 0 has 20 rows, user 1 has 10; all items are shared.
    rows.push_back({k % 3 == 2 ? "1" : "0", std::to_string(k / 3), static_cast<float>(k % 5), k});
  }
  const Dataset dataset = build_dataset(made_up_raw(rows), all_training(4));
  const EdgeSplit six = light_gcn_edges(dataset, "leave_one_out_of_samples", 0.0, 6);
  EXPECT_EQ(six.train.size() + six.held_out.size(), 16U + 6U);
  ASSERT_EQ(six.held_out.size(), 1U);
  EXPECT_EQ(six.held_out.user[0], 0);
  EXPECT_EQ(six.held_out.item[0], dataset.items.find("9"));
  EXPECT_EQ(light_gcn_edges(dataset, "leave_one_out_of_samples", 0.0, 5).held_out.size(), 2U);
  EXPECT_EQ(light_gcn_edges(dataset, "leave_one_out", 0.0, 9).train.size(), 28U);
  EXPECT_EQ(light_gcn_edges(dataset, "leave_one_out", 0.0).train.size(), 29U);
}

TEST(GraphEdges, UpToLastTrainSeesNothingLater) {
  std::vector<MadeUpRow> rows;
  for (int k = 0; k < 40; ++k) {
    rows.push_back({std::to_string(k % 3), std::to_string(k), static_cast<float>(k % 5 + 1), k});
  }
  config::DataOptions options = all_training(2);
  options.train_share = 0.5;
  options.valid_share = 0.25;
  const Dataset dataset = build_dataset(made_up_raw(rows), options);
  // 40 rows − 6 first ones = 34 samples; the 17th is row 22, so rows 0…22 are edges.
  const EdgeSplit split = light_gcn_edges(dataset, "up_to_last_train", 0.0);
  EXPECT_EQ(split.train.size(), 23U);
  EXPECT_EQ(split.held_out.size(), 0U);
  // Of these only the ratings 4 and 5.
  std::size_t liked = 0;
  for (int k = 0; k < 23; ++k) liked += k % 5 + 1 >= 4 ? 1 : 0;
  EXPECT_EQ(light_gcn_edges(dataset, "up_to_last_train", 4.0).train.size(), liked);
  EXPECT_EQ(light_gcn_edges(dataset, "leave_one_out", 0.0).train.size(), 40U);
  EXPECT_THROW(light_gcn_edges(dataset, "all", 0.0), Error);
}

}  // namespace
}  // namespace rallrec::data
