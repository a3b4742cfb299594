#include "data/negative_sampler.h"

#include "core/check.h"
#include "kernels/negative_sampling.h"

namespace rallrec::data {

NegativeSampler::NegativeSampler(const CsrGraph& graph, std::uint64_t seed,
                                 std::int64_t bitmap_bytes)
    : graph_(graph), seed_(seed), row_words_((std::int64_t{graph.items} + 63) / 64) {
  if (graph.users * row_words_ * 8 > bitmap_bytes) {
    return;
  }
  bitmap_.resize(static_cast<std::size_t>(graph.users * row_words_));
  for (std::int32_t user = 0; user < graph.users; ++user) {
    for (const std::int32_t item : graph.items_of(user)) {
      bitmap_[user * row_words_ + item / 64] |= std::uint64_t{1} << (item % 64);
    }
  }
}

bool NegativeSampler::is_edge(std::int32_t user, std::int32_t item) const {
  if (bitmap_.empty()) {
    return graph_.has_edge(user, item);
  }
  return (bitmap_[user * row_words_ + item / 64] >> (item % 64) & 1) != 0;
}

std::int32_t NegativeSampler::sample(std::int32_t user, std::uint32_t epoch,
                                     std::int64_t edge) const {
  RALLREC_CHECK(has_negative(user), "NegativeSampler: the user has an edge to every item");
  return kernels::draw_negative(seed_, epoch, static_cast<std::uint32_t>(edge), graph_.items,
                                [&](std::int32_t item) { return is_edge(user, item); });
}

}  // namespace rallrec::data
