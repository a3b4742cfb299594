#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/device_array.h"
#include "distributed/place.h"

namespace rallrec::models::ctr {

// Which rank owns a row of a table, and where it is there: a fixed shuffle of the rows, dealt out
// in turn, so that rows in frequent use are spread over the ranks.
class RowPlaces {
 public:
  RowPlaces(std::int64_t rows, int ranks);

  int owner(std::int64_t row) const { return static_cast<int>(shuffled(row) % ranks_); }
  std::int64_t place(std::int64_t row) const { return shuffled(row) / ranks_; }
  std::int64_t rows_of(int rank) const { return (rows_ - rank + ranks_ - 1) / ranks_; }

 private:
  std::int64_t shuffled(std::int64_t row) const { return row * factor_ % rows_; }

  std::int64_t rows_;
  std::int64_t ranks_;
  std::int64_t factor_;  // has no divisor in common with rows_
};

// An embedding table, fp32 [rows, width], of which each rank keeps the rows that it owns. Rows
// travel to those who compute with them, and their gradients travel back; the table never moves.
class ShardedEmbedding {
 public:
  // 1 <= rows < 2^31. Values start at 0, on the place's device.
  ShardedEmbedding(std::int64_t rows, std::int64_t width, const distributed::Place& place);

  std::int64_t width() const { return width_; }
  // The rows of this rank, [own rows, width].
  DeviceArray<float>& values() { return values_; }
  const DeviceArray<float>& values() const { return values_; }
  // Calls set(row, its values) for each row of this rank, whose values are 0 in host memory.
  void fill(const std::function<void(std::int64_t row, float* values)>& set);

  // found[i] = row rows[i], fp32 [rows.size(), width] on the device. Bytes that a rank sends: 8 per
  // rank and 4 per row that it asks for through the host's communicator, 4 · width per row that it
  // is asked for through the device's; a rank alone sends nothing. Collective.
  void lookup(const std::vector<std::int32_t>& rows, DeviceArray<float>& found);

  // Gradients of rows of this rank.
  struct Gradients {
    explicit Gradients(const Queue& queue) : sums(queue, "baseline.batch_size") {}

    std::vector<std::int64_t> places;  // in values(), each once
    DeviceArray<float> sums;           // [places.size(), width]
  };
  // Adds up the gradients [rows.size(), width], on the device, of all ranks by row, in the order of
  // the ranks and in each rank's own: where ranks hold consecutive parts of one list, the sums have
  // the bits of the whole list. own.sums is on the same device. Bytes that a rank sends: 8 per rank
  // and 4 per entry of its list through the host's communicator, 4 · width per entry through the
  // device's; a rank alone sends nothing. Collective.
  void reduce(const std::vector<std::int32_t>& rows, const float* gradients, Gradients& own);

 private:
  // A list of rows, cut by owner.
  struct Routes {
    std::vector<std::int64_t> order;   // positions in the list, by owner
    std::vector<std::int64_t> turned;  // where each position of the list stands in `order`
    std::vector<std::int32_t> places;  // of those rows with their owner
    std::vector<std::size_t> counts;   // per owner
  };
  // What this rank is asked for.
  struct Asked {
    std::vector<std::int32_t> places;
    std::vector<std::size_t> counts;  // per asking rank
  };
  Routes routes_of(const std::vector<std::int32_t>& rows) const;
  Asked exchange_places(const Routes& routes);
  std::vector<std::size_t> in_floats(const std::vector<std::size_t>& counts) const;
  bool alone() const { return place_.host.size() == 1; }
  // Copies row order[i] of the `rows` rows of `from` to row i.
  void gather_rows(const float* from, std::int64_t rows, const std::vector<std::int64_t>& order,
                   DeviceArray<float>& to);
  void exchange_rows(const std::vector<std::size_t>& send, const std::vector<std::size_t>& receive);
  void add_by_place(const std::vector<std::int32_t>& places, const float* gradients,
                    Gradients& own);

  std::int64_t rows_;
  std::int64_t width_;
  distributed::Place place_;
  RowPlaces places_;
  DeviceArray<float> values_;
  std::vector<std::int64_t> group_of_;  // per own row, while gradients are added up; else -1
  DeviceArray<float> sent_;
  DeviceArray<float> received_;
  DeviceArray<std::int64_t> order_;
  DeviceArray<std::int64_t> groups_;  // rows, offsets and members, one behind the other
};

}  // namespace rallrec::models::ctr
