#include "models/graph/light_gcn.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/spmm.h"

namespace rallrec::models {

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
                   distributed::Communicator& communicator)
    : adjacency_(adjacency), layers_(layers), width_(width), communicator_(communicator) {
  RALLREC_CHECK(layers >= 0 && width > 0, "LightGcn: layers must be >= 0 and the width positive");
  for (const auto& part : partition_nodes(adjacency, communicator.size())) {
    counts_.push_back(part.size() * static_cast<std::size_t>(width));
    if (static_cast<int>(counts_.size()) == communicator.rank() + 1) {
      own_ = part;
    }
  }
}

void LightGcn::layer(const float* h, const std::vector<float>& x, std::vector<float>& own) {
  own.resize(own_count());
  const auto begin = static_cast<std::int64_t>(own_.begin);
  kernels::spmm({}, adjacency_.rows(begin, static_cast<std::int64_t>(own_.end)), h, width_,
                x.data() + begin * width_, own.data());
}

void LightGcn::scale(std::vector<float>& rows) const {
  const float factor = 1.0f / static_cast<float>(layers_ + 1);
  parallel_for(static_cast<std::int64_t>(rows.size()), 1 << 15,
               [&](std::int64_t begin, std::int64_t end) {
                 std::for_each(rows.begin() + begin, rows.begin() + end,
                               [factor](float& value) { value *= factor; });
               });
}

void LightGcn::propagate_own(const std::vector<float>& x, std::vector<float>& result) {
  RALLREC_CHECK(x.size() == static_cast<std::size_t>(adjacency_.nodes() * width_),
                "LightGcn: the input has the wrong size");
  if (layers_ == 0) {
    result.assign(x.begin() + static_cast<std::ptrdiff_t>(own_.begin) * width_,
                  x.begin() + static_cast<std::ptrdiff_t>(own_.end) * width_);
    return;
  }
  layer(x.data(), x, result);
  for (std::int64_t l = 1; l < layers_; ++l) {
    gather(result, full_rows_);
    layer(full_rows_.data(), x, result);
  }
  scale(result);
}

void LightGcn::propagate(const std::vector<float>& x, std::vector<float>& result) {
  propagate_own(x, own_rows_);
  gather(own_rows_, result);
}

void LightGcn::gather(std::vector<float>& own, std::vector<float>& full) {
  if (communicator_.size() == 1) {
    own.swap(full);
    return;
  }
  full.resize(static_cast<std::size_t>(adjacency_.nodes() * width_));
  communicator_.all_gather_v(own.data(), full.data(), counts_, distributed::DType::kFloat32);
}

}  // namespace rallrec::models
