#include "data/graph_edges.h"

#include "core/error.h"

namespace rallrec::data {
namespace {

void add_row(const InteractionTable& table, std::size_t row, double min_rating, EdgeList& edges) {
  if (min_rating != 0.0 && table.has_ratings() && table.rating[row] < min_rating) return;
  edges.add(table.user[row], table.item[row]);
}

EdgeList edges_of_rows(const InteractionTable& table, std::size_t rows, double min_rating) {
  EdgeList edges;
  for (std::size_t row = 0; row < rows; ++row) add_row(table, row, min_rating, edges);
  return edges;
}

}  // namespace

void EdgeList::add(std::int32_t user_id, std::int32_t item_id) {
  user.push_back(user_id);
  item.push_back(item_id);
}

EdgeList edges_of(const InteractionTable& table, double min_rating) {
  return edges_of_rows(table, table.size(), min_rating);
}

EdgeSplit hold_out_newest(const EdgeList& edges, std::int32_t users, std::int32_t items,
                          std::int64_t min_rows) {
  std::vector<std::int64_t> user_edges(static_cast<std::size_t>(users), 0);
  std::vector<std::int64_t> item_edges(static_cast<std::size_t>(items), 0);
  std::vector<std::size_t> newest(static_cast<std::size_t>(users), 0);
  for (std::size_t edge = 0; edge < edges.size(); ++edge) {
    ++user_edges[edges.user[edge]];
    ++item_edges[edges.item[edge]];
    newest[edges.user[edge]] = edge;
  }
  EdgeSplit split;
  for (std::size_t edge = 0; edge < edges.size(); ++edge) {
    const std::int32_t user = edges.user[edge];
    const std::int32_t item = edges.item[edge];
    const bool held = newest[user] == edge && user_edges[user] > min_rows && item_edges[item] > 1;
    (held ? split.held_out : split.train).add(user, item);
  }
  return split;
}

EdgeList all_edges(const Dataset& dataset, double min_rating) {
  return edges_of(dataset.interactions, min_rating);
}

EdgeList sample_edges(const Dataset& dataset, double min_rating) {
  EdgeList edges;
  for (const std::int32_t row : dataset.samples.row) {
    add_row(dataset.interactions, static_cast<std::size_t>(row), min_rating, edges);
  }
  return edges;
}

EdgeList edges_up_to_last_train(const Dataset& dataset, double min_rating) {
  const SampleTable& samples = dataset.samples;
  const std::size_t rows =
      samples.train_end == 0 ? 0 : static_cast<std::size_t>(samples.row[samples.train_end - 1]) + 1;
  return edges_of_rows(dataset.interactions, rows, min_rating);
}

EdgeSplit light_gcn_edges(const Dataset& dataset, const std::string& rule, double min_rating,
                          std::int64_t min_rows) {
  const auto hold_out = [&](const EdgeList& edges) {
    return hold_out_newest(edges, dataset.users.size(), dataset.items.size(), min_rows);
  };
  if (rule == "leave_one_out") return hold_out(all_edges(dataset, min_rating));
  if (rule == "leave_one_out_of_samples") return hold_out(sample_edges(dataset, min_rating));
  if (rule == "up_to_last_train") return {edges_up_to_last_train(dataset, min_rating), {}};
  throw_usage("light_gcn.edges = \"" + rule +
              "\": expected \"leave_one_out\", \"leave_one_out_of_samples\" or "
              "\"up_to_last_train\"");
}

}  // namespace rallrec::data
