// What tests count in a data set, each straight from the rules.
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <set>

#include "data/csr_graph.h"
#include "data/dataset.h"
#include "data/graph_edges.h"

namespace rallrec::data {

inline config::DataOptions paper_options(std::int64_t min_history) {
  config::DataOptions options;
  options.min_history = min_history;
  return options;
}

struct Unseen {
  int users = 0;
  int items = 0;
  bool operator==(const Unseen& other) const {
    return users == other.users && items == other.items;
  }
};

// Test samples whose user or item is in no training sample.
inline Unseen unseen_in_test(const Dataset& dataset) {
  std::set<std::int32_t> users;
  std::set<std::int32_t> items;
  for (std::int32_t sample = 0; sample < dataset.samples.train_end; ++sample) {
    users.insert(dataset.sample_user(sample));
    items.insert(dataset.sample_item(sample));
  }
  Unseen unseen;
  const SampleRange test = range_of(dataset.samples, Split::kTest);
  for (std::int32_t sample = test.begin; sample < test.end; ++sample) {
    unseen.users += users.count(dataset.sample_user(sample)) == 0 ? 1 : 0;
    unseen.items += items.count(dataset.sample_item(sample)) == 0 ? 1 : 0;
  }
  return unseen;
}

inline std::array<int, 3> positives(const Dataset& dataset) {
  std::array<int, 3> result{};
  for (const Split split : {Split::kTrain, Split::kValid, Split::kTest}) {
    const SampleRange range = range_of(dataset.samples, split);
    result[static_cast<int>(split)] = std::accumulate(dataset.samples.label.begin() + range.begin,
                                                      dataset.samples.label.begin() + range.end, 0);
  }
  return result;
}

inline std::array<int, 3> split_sizes(const Dataset& dataset) {
  return {range_of(dataset.samples, Split::kTrain).size(),
          range_of(dataset.samples, Split::kValid).size(),
          range_of(dataset.samples, Split::kTest).size()};
}

// Test samples whose own pair is an edge, and those whose item has no edge at all.
struct TestEdges {
  int leaked = 0;
  int cold = 0;
};

inline TestEdges test_edges(const Dataset& dataset, const EdgeList& edges) {
  const CsrGraph graph = make_csr_graph(edges, dataset.users.size(), dataset.items.size());
  TestEdges result;
  const SampleRange test = range_of(dataset.samples, Split::kTest);
  for (std::int32_t sample = test.begin; sample < test.end; ++sample) {
    const std::int32_t item = dataset.sample_item(sample);
    result.leaked += graph.has_edge(dataset.sample_user(sample), item) ? 1 : 0;
    result.cold += graph.item_degree(item) == 0 ? 1 : 0;
  }
  return result;
}

inline std::size_t cardinality(const FieldTable& table, const char* field) {
  return table.find(field)->vocabulary.size();
}

inline std::int32_t rated_items(const Dataset& dataset) {
  const std::set<std::int32_t> items(dataset.interactions.item.begin(),
                                     dataset.interactions.item.end());
  return static_cast<std::int32_t>(items.size());
}

}  // namespace rallrec::data
