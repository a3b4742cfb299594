#include "models/graph/row_exchange.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"
#include "kernels/held_rows.h"

namespace rallrec::models {
namespace {

using distributed::Range;

bool is_in(const Range& range, std::int32_t node) {
  const auto n = static_cast<std::size_t>(node);
  return n >= range.begin && n < range.end;
}

// For each rank the neighbours of its nodes that others own, ascending.
std::vector<std::vector<std::int32_t>> halos_of(const Adjacency& adjacency,
                                                const std::vector<Range>& parts) {
  std::vector<std::vector<std::int32_t>> halos;
  std::vector<std::size_t> seen_by(static_cast<std::size_t>(adjacency.nodes()), parts.size());
  for (std::size_t rank = 0; rank < parts.size(); ++rank) {
    std::vector<std::int32_t> halo;
    const Range& own = parts[rank];
    for (std::int64_t e = adjacency.offsets[own.begin]; e < adjacency.offsets[own.end]; ++e) {
      const std::int32_t node = adjacency.neighbours[e];
      if (seen_by[node] != rank && !is_in(own, node)) {
        seen_by[node] = rank;
        halo.push_back(node);
      }
    }
    std::sort(halo.begin(), halo.end());
    halos.push_back(std::move(halo));
  }
  return halos;
}

// Those of an ascending list that `owner` owns.
std::pair<std::ptrdiff_t, std::ptrdiff_t> owned_by(const Range& owner,
                                                   const std::vector<std::int32_t>& list) {
  const auto place = [&list](std::size_t node) {
    return std::lower_bound(list.begin(), list.end(), static_cast<std::int32_t>(node)) -
           list.begin();
  };
  return {place(owner.begin), place(owner.end)};
}

// The most rows that a rank sends or receives in an exchange of halos.
std::size_t most_by_halo(const std::vector<std::vector<std::int32_t>>& halos,
                         const std::vector<Range>& parts) {
  std::size_t most = 0;
  for (std::size_t rank = 0; rank < parts.size(); ++rank) {
    std::size_t sent = 0;
    for (const auto& halo : halos) {
      const auto [first, last] = owned_by(parts[rank], halo);
      sent += static_cast<std::size_t>(last - first);
    }
    most = std::max({most, sent, halos[rank].size()});
  }
  return most;
}

// The same for a gather of all rows. NCCL's is a ring, where every row passes by every rank but
// one; elsewhere each rank sends its own rows to every other.
std::size_t most_by_gather(const std::vector<Range>& parts, std::size_t nodes, bool in_ring) {
  std::size_t most = 0;
  for (const Range& part : parts) {
    const std::size_t sent = in_ring ? 0 : (parts.size() - 1) * part.size();
    most = std::max({most, sent, nodes - part.size()});
  }
  return most;
}

constexpr const char* kSetting = "light_gcn.embedding_size";

}  // namespace

std::vector<Range> partition_nodes(const Adjacency& adjacency, int ranks) {
  const std::int64_t nodes = adjacency.nodes();
  // A node costs its edges and, for the dense work on its row, about one more.
  const auto cost = [&](std::int64_t node) { return adjacency.offsets[node] + node; };
  std::vector<Range> parts;
  std::int64_t begin = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    const std::int64_t target = cost(nodes) * (rank + 1) / ranks;
    std::int64_t end = begin;
    while (end < nodes && cost(end) < target) {
      ++end;
    }
    parts.push_back({static_cast<std::size_t>(begin),
                     static_cast<std::size_t>(rank + 1 == ranks ? nodes : end)});
    begin = end;
  }
  return parts;
}

RowExchange::RowExchange(const Adjacency& adjacency, std::int64_t width,
                         const distributed::Place& place, bool all_rows)
    : width_(width),
      place_(place),
      parts_(partition_nodes(adjacency, place.device.size())),
      own_(parts_[static_cast<std::size_t>(place.device.rank())]),
      places_(static_cast<std::size_t>(adjacency.nodes()), -1),
      sent_rows_(place.queue, kSetting),
      sent_(place.queue, kSetting) {
  for (const Range& part : parts_) {
    gather_counts_.push_back(part.size() * static_cast<std::size_t>(width));
  }
  const NodeLists halos = halos_of(adjacency, parts_);
  const bool in_ring = place.queue.device == Device::kCuda;
  if (!all_rows && most_by_halo(halos, parts_) < most_by_gather(parts_, places_.size(), in_ring)) {
    hold_halo(halos);
  } else {
    hold_all();
  }
  for (std::size_t row = 0; row < nodes_.size(); ++row) {
    places_[static_cast<std::size_t>(nodes_[row])] = static_cast<std::int32_t>(row);
  }
}

void RowExchange::hold_halo(const NodeLists& halos) {
  const auto rank = static_cast<std::size_t>(place_.device.rank());
  nodes_.resize(own_.size());
  std::iota(nodes_.begin(), nodes_.end(), static_cast<std::int32_t>(own_.begin));
  nodes_.insert(nodes_.end(), halos[rank].begin(), halos[rank].end());
  std::vector<std::int32_t> sent;
  const auto width = static_cast<std::size_t>(width_);
  for (std::size_t other = 0; other < parts_.size(); ++other) {
    const auto [first, last] = owned_by(own_, halos[other]);
    for (std::ptrdiff_t i = first; i < last; ++i) {
      sent.push_back(halos[other][static_cast<std::size_t>(i)] -
                     static_cast<std::int32_t>(own_.begin));
    }
    send_counts_.push_back(static_cast<std::size_t>(last - first) * width);
    const auto [begin, end] = owned_by(parts_[other], halos[rank]);
    receive_counts_.push_back(static_cast<std::size_t>(end - begin) * width);
  }
  sent_rows_.assign(sent);
}

void RowExchange::hold_all() {
  own_begin_ = static_cast<std::int64_t>(own_.begin);
  nodes_.resize(places_.size());
  std::iota(nodes_.begin(), nodes_.end(), 0);
}

std::size_t RowExchange::bytes_per_fill() const {
  if (place_.device.size() == 1) {
    return 0;
  }
  const std::size_t floats =
      by_halo() ? std::accumulate(send_counts_.begin(), send_counts_.end(), std::size_t{0})
                : own_.size() * static_cast<std::size_t>(width_);
  return floats * sizeof(float);
}

void RowExchange::fill(DeviceArray<float>& rows) {
  if (place_.device.size() == 1) {
    return;
  }
  RALLREC_CHECK(rows.size() == nodes_.size() * static_cast<std::size_t>(width_),
                "RowExchange: the matrix has the wrong size");
  const float* own = rows.data() + own_begin_ * width_;
  const std::size_t own_count = own_.size() * static_cast<std::size_t>(width_);
  if (!by_halo()) {
    sent_.assign_device(own, own_count);
    place_.device
        .all_gather_v_async(sent_.data(), rows.data(), gather_counts_, distributed::DType::kFloat32)
        .hold(place_.queue);
    return;
  }
  sent_.resize(sent_rows_.size() * static_cast<std::size_t>(width_));
  kernels::take_rows(place_.queue, own, width_, sent_rows_.data(),
                     static_cast<std::int64_t>(sent_rows_.size()), 0,
                     static_cast<std::int64_t>(own_.size()), sent_.data());
  place_.device
      .all_to_all_v_async(sent_.data(), send_counts_, rows.data() + own_count, receive_counts_,
                          distributed::DType::kFloat32)
      .hold(place_.queue);
}

void RowExchange::gather(const DeviceArray<float>& rows, DeviceArray<float>& full) {
  full.resize(places_.size() * static_cast<std::size_t>(width_));
  place_.device
      .all_gather_v_async(rows.data() + own_begin_ * width_, full.data(), gather_counts_,
                          distributed::DType::kFloat32)
      .hold(place_.queue);
}

}  // namespace rallrec::models
