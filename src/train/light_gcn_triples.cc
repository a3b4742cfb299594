#include "train/light_gcn_triples.h"

#include "core/error.h"
#include "train/epoch_order.h"

namespace rallrec::train {
namespace {

constexpr const char* kSetting = "the graph";
template <typename Value>
void upload_in_order(const std::vector<Value>& values, const std::vector<std::int32_t>& order,
                     DeviceArray<Value>& result) {
  std::vector<Value> ordered(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    ordered[i] = values[static_cast<std::size_t>(order[i])];
  }
  result.assign(ordered);
}

}  // namespace

LightGcnTriples::LightGcnTriples(const data::CsrGraph& graph, std::uint64_t seed,
                                 const Queue& queue)
    : graph_(graph),
      seed_(seed),
      sampler_(graph, seed, queue),
      epoch_users_(queue, kSetting),
      epoch_positives_(queue, kSetting),
      epoch_edges_(queue, kSetting),
      epoch_negatives_(queue, kSetting) {
  for (std::int32_t user = 0; user < graph.users; ++user) {
    for (std::int64_t e = graph.user_offsets[user]; e < graph.user_offsets[user + 1]; ++e) {
      if (sampler_.has_negative(user)) {
        users_.push_back(user);
        positives_.push_back(graph.users + graph.user_items[e]);
        edges_.push_back(static_cast<std::uint32_t>(e));
      }
    }
  }
  if (users_.empty()) {
    throw_bad_data("light_gcn",
                   "no edge to train on: the graph has no edges, or every user has every item");
  }
}

void LightGcnTriples::start(std::int64_t epoch) {
  const auto order = epoch_order<std::int32_t>(users_.size(), seed_, epoch);
  upload_in_order(users_, order, epoch_users_);
  upload_in_order(positives_, order, epoch_positives_);
  upload_in_order(edges_, order, epoch_edges_);
  epoch_negatives_.resize(order.size());
  sampler_.draw(static_cast<std::uint32_t>(epoch), epoch_users_.data(), epoch_edges_.data(), size(),
                graph_.users, epoch_negatives_.data());
}

kernels::BprBatch LightGcnTriples::batch(std::int64_t begin, std::int64_t end) const {
  return {epoch_users_.data() + begin, epoch_positives_.data() + begin,
          epoch_negatives_.data() + begin, end - begin};
}

}  // namespace rallrec::train
