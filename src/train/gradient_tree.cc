#include "train/gradient_tree.h"

#include "core/check.h"
#include "distributed/tree_nodes.h"

namespace rallrec::train {
namespace {

constexpr const char* kSetting = "the gradient's size";

std::vector<kernels::RowAddition> row_additions(const distributed::JoinedNodes& joined) {
  std::vector<kernels::RowAddition> additions;
  for (const auto& [into, from] : joined.additions) {
    additions.push_back({static_cast<std::int32_t>(into), static_cast<std::int32_t>(from)});
  }
  return additions;
}

}  // namespace

GradientTree::GradientTree(std::size_t leaves, const std::vector<distributed::Range>& parts,
                           std::size_t count, const distributed::Place& place)
    : count_(count),
      place_(place),
      own_additions_(place.queue, kSetting),
      additions_(place.queue, kSetting),
      leaves_(place.queue, kSetting),
      nodes_(place.queue, kSetting),
      all_(place.queue, kSetting) {
  RALLREC_CHECK(parts.size() == static_cast<std::size_t>(place.device.size()) && leaves > 0 &&
                    parts.front().begin == 0 && parts.back().end == leaves,
                "GradientTree: the parts do not cover the leaves");
  std::vector<distributed::Range> nodes;
  for (std::size_t rank = 0; rank < parts.size(); ++rank) {
    const auto joined = distributed::join_leaves(parts[rank], leaves);
    nodes.insert(nodes.end(), joined.nodes.begin(), joined.nodes.end());
    counts_.push_back(joined.nodes.size() * count);
    if (static_cast<int>(rank) == place.device.rank()) {
      own_additions_.assign(row_additions(joined));
      places_ = joined.places;
      leaves_.resize(parts[rank].size() * count);
    }
  }
  additions_.assign(row_additions(distributed::join_nodes(nodes, leaves)));
  if (parts.size() > 1) {
    all_.resize(nodes.size() * count);
  }
}

const float* GradientTree::sum() {
  kernels::add_rows(place_.queue, own_additions_.data(),
                    static_cast<std::int64_t>(own_additions_.size()),
                    static_cast<std::int64_t>(count_), leaves_.data());
  if (place_.device.size() == 1) {
    return leaves_.data();
  }
  exchange();
  kernels::add_rows(place_.queue, additions_.data(), static_cast<std::int64_t>(additions_.size()),
                    static_cast<std::int64_t>(count_), all_.data());
  return all_.data();
}

void GradientTree::exchange() {
  // The sums of one node lie as they are sent.
  const float* mine = leaves_.data();
  if (places_.size() > 1) {
    nodes_.resize(places_.size() * count_);
    for (std::size_t i = 0; i < places_.size(); ++i) {
      copy_on_device(place_.queue, nodes_.data() + i * count_, leaves_.data() + places_[i] * count_,
                     count_ * sizeof(float));
    }
    mine = nodes_.data();
  }
  place_.device.all_gather_v_async(mine, all_.data(), counts_, distributed::DType::kFloat32)
      .hold(place_.queue);
}

}  // namespace rallrec::train
