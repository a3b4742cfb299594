#include "data/csr_graph.h"

#include <algorithm>
#include <string>

#include "core/check.h"

namespace rallrec::data {
namespace {

void check_ids(const std::vector<std::int32_t>& ids, std::int32_t bound, const char* what) {
  for (const std::int32_t id : ids) {
    RALLREC_CHECK(id >= 0 && id < bound, std::string(what) + " id " + std::to_string(id) +
                                             " outside [0, " + std::to_string(bound) + ")");
  }
}

void group(const std::vector<std::int32_t>& from, const std::vector<std::int32_t>& to,
           std::int32_t rows, std::vector<std::int64_t>& offsets,
           std::vector<std::int32_t>& columns) {
  offsets.assign(static_cast<std::size_t>(rows) + 1, 0);
  for (const std::int32_t row : from) ++offsets[row + 1];
  for (std::int32_t row = 0; row < rows; ++row) offsets[row + 1] += offsets[row];
  std::vector<std::int64_t> next(offsets.begin(), offsets.end() - 1);
  columns.resize(to.size());
  for (std::size_t edge = 0; edge < from.size(); ++edge) columns[next[from[edge]]++] = to[edge];
}

// Sorts each row and drops repeated columns, in place: the write position never passes the read
// one.
void make_rows_distinct(std::vector<std::int64_t>& offsets, std::vector<std::int32_t>& columns) {
  auto write = columns.begin();
  std::int64_t begin = 0;
  for (std::size_t row = 0; row + 1 < offsets.size(); ++row) {
    const std::int64_t end = offsets[row + 1];
    std::sort(columns.begin() + begin, columns.begin() + end);
    write = std::unique_copy(columns.begin() + begin, columns.begin() + end, write);
    offsets[row + 1] = write - columns.begin();
    begin = end;
  }
  columns.erase(write, columns.end());
}

}  // namespace

bool CsrGraph::has_edge(std::int32_t user, std::int32_t item) const {
  const ArrayView<std::int32_t> neighbours = items_of(user);
  return std::binary_search(neighbours.begin(), neighbours.end(), item);
}

CsrGraph make_csr_graph(const EdgeList& edges, std::int32_t users, std::int32_t items) {
  check_ids(edges.user, users, "user");
  check_ids(edges.item, items, "item");
  CsrGraph graph;
  graph.users = users;
  graph.items = items;
  group(edges.user, edges.item, users, graph.user_offsets, graph.user_items);
  make_rows_distinct(graph.user_offsets, graph.user_items);
  group(edges.item, edges.user, items, graph.item_offsets, graph.item_users);
  make_rows_distinct(graph.item_offsets, graph.item_users);
  return graph;
}

}  // namespace rallrec::data
