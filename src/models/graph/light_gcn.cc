#include "models/graph/light_gcn.h"

#include "core/check.h"
#include "kernels/spmm.h"

namespace rallrec::models {
namespace {

// Rows of an adjacency, with offsets from 0. Pointers into the adjacency.
struct OwnRows {
  std::vector<std::int64_t> offsets;
  const std::int32_t* neighbours;
  const float* weights;
  std::size_t entries;
};

OwnRows own_rows(const Adjacency& adjacency, const distributed::Range& own) {
  const std::int64_t first = adjacency.offsets[own.begin];
  OwnRows rows{{},
               adjacency.neighbours.data() + first,
               adjacency.weights.data() + first,
               static_cast<std::size_t>(adjacency.offsets[own.end] - first)};
  for (std::size_t node = own.begin; node <= own.end; ++node) {
    rows.offsets.push_back(adjacency.offsets[node] - first);
  }
  return rows;
}

}  // namespace

std::vector<distributed::Range> partition_nodes(const Adjacency& adjacency, int ranks) {
  const std::int64_t nodes = adjacency.nodes();
  // A node costs its edges and, for the dense work on its row, about one more.
  const auto cost = [&](std::int64_t node) { return adjacency.offsets[node] + node; };
  std::vector<distributed::Range> parts;
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

LightGcn::LightGcn(const Adjacency& adjacency, std::int64_t layers, std::int64_t width,
                   const distributed::Place& place)
    : nodes_(adjacency.nodes()),
      layers_(layers),
      width_(width),
      place_(place),
      offsets_(array<std::int64_t>()),
      neighbours_(array<std::int32_t>()),
      weights_(array<float>()),
      own_rows_(array<float>()),
      full_rows_(array<float>()) {
  RALLREC_CHECK(layers >= 0 && width > 0, "LightGcn: layers must be >= 0 and the width positive");
  for (const auto& part : partition_nodes(adjacency, place.device.size())) {
    counts_.push_back(part.size() * static_cast<std::size_t>(width));
    if (static_cast<int>(counts_.size()) == place.device.rank() + 1) {
      own_ = part;
    }
  }
  const OwnRows rows = own_rows(adjacency, own_);
  offsets_.assign(rows.offsets);
  neighbours_.assign(rows.neighbours, rows.entries);
  weights_.assign(rows.weights, rows.entries);
}

void LightGcn::layer(const float* h, const DeviceArray<float>& x, float scale,
                     DeviceArray<float>& own) {
  own.resize(own_count());
  const kernels::CsrView rows{static_cast<std::int64_t>(own_.size()), nodes_, offsets_.data(),
                              neighbours_.data(), weights_.data()};
  kernels::spmm(place_.queue, rows, h, width_,
                x.data() + static_cast<std::int64_t>(own_.begin) * width_, scale, own.data());
}

void LightGcn::propagate_own(const DeviceArray<float>& x, DeviceArray<float>& result) {
  RALLREC_CHECK(x.size() == static_cast<std::size_t>(nodes_ * width_),
                "LightGcn: the input has the wrong size");
  if (layers_ == 0) {
    result.assign_device(x.data() + static_cast<std::int64_t>(own_.begin) * width_, own_count());
    return;
  }
  const float mean = 1.0f / static_cast<float>(layers_ + 1);
  layer(x.data(), x, layers_ == 1 ? mean : 1.0f, result);
  for (std::int64_t l = 1; l < layers_; ++l) {
    gather(result, full_rows_);
    layer(full_rows_.data(), x, l + 1 == layers_ ? mean : 1.0f, result);
  }
}

void LightGcn::propagate(const DeviceArray<float>& x, DeviceArray<float>& result) {
  propagate_own(x, own_rows_);
  gather(own_rows_, result);
}

void LightGcn::gather(DeviceArray<float>& own, DeviceArray<float>& full) {
  if (place_.device.size() == 1) {
    own.swap(full);
    return;
  }
  full.resize(static_cast<std::size_t>(nodes_ * width_));
  place_.device.all_gather_v_async(own.data(), full.data(), counts_, distributed::DType::kFloat32)
      .hold(place_.queue);
}

void LightGcn::settle() { place_.device.barrier(); }

}  // namespace rallrec::models
