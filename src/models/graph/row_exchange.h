#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "distributed/partition.h"
#include "distributed/place.h"
#include "models/graph/adjacency.h"

namespace rallrec::models {

// Node ranges of `ranks` ranks in rank order, with about the same sum of edges and nodes each. A
// range may be empty.
std::vector<distributed::Range> partition_nodes(const Adjacency& adjacency, int ranks);

// Which rows of a matrix [nodes, width] a rank holds when it multiplies its own rows of Ã with it,
// and how those of other ranks get there. A rank holds its own rows and
//
//   halo     the rows of its nodes' neighbours, each sent to it by its owner (all-to-all), or
//   gather   all rows (all-gather),
//
// whichever makes the busiest rank send and receive fewer rows, or all where that is asked for.
// Every rank works out the same from the adjacency, without talking. Alone, a rank holds all rows
// and nothing moves.
class RowExchange {
 public:
  RowExchange(const Adjacency& adjacency, std::int64_t width, const distributed::Place& place,
              bool all_rows = false);

  distributed::Range own_nodes() const { return own_; }
  // Rows of the local matrix; row own_begin() + i is that of own node i.
  std::int64_t rows() const { return static_cast<std::int64_t>(nodes_.size()); }
  std::int64_t own_begin() const { return own_begin_; }
  std::int64_t own_end() const { return own_begin_ + static_cast<std::int64_t>(own_.size()); }
  // [rows()]: the node of each row.
  const std::vector<std::int32_t>& nodes() const { return nodes_; }
  // [nodes]: the row of each node, -1 where it is not held here.
  const std::vector<std::int32_t>& places() const { return places_; }
  bool by_halo() const { return !send_counts_.empty(); }
  // What this rank hands to the collective in one fill().
  std::size_t bytes_per_fill() const;

  // Fills the rows of other ranks into `rows`, [rows(), width], of which the own rows are there.
  // On a GPU this only enqueues. Collective.
  void fill(DeviceArray<float>& rows);
  // full: [nodes, width] in node order on every rank, from the own rows of `rows`; what it held
  // before is overwritten. Collective; with several ranks only.
  void gather(const DeviceArray<float>& rows, DeviceArray<float>& full);

 private:
  using NodeLists = std::vector<std::vector<std::int32_t>>;

  void hold_halo(const NodeLists& halos);
  void hold_all();

  std::int64_t width_;
  distributed::Place place_;
  std::vector<distributed::Range> parts_;
  distributed::Range own_;
  std::int64_t own_begin_ = 0;
  std::vector<std::int32_t> nodes_;
  std::vector<std::int32_t> places_;
  std::vector<std::size_t> gather_counts_;  // floats per rank
  // Halo only: floats per rank, and the rows that go out, in rank order.
  std::vector<std::size_t> send_counts_;
  std::vector<std::size_t> receive_counts_;
  DeviceArray<std::int32_t> sent_rows_;
  DeviceArray<float> sent_;
};

}  // namespace rallrec::models
