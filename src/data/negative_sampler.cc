#include "data/negative_sampler.h"

namespace rallrec::data {
namespace {

constexpr const char* kSetting = "the graph";

}  // namespace

NegativeSampler::NegativeSampler(const CsrGraph& graph, std::uint64_t seed, const Queue& queue,
                                 std::int64_t bitmap_bytes)
    : graph_(graph),
      seed_(seed),
      queue_(queue),
      row_words_((std::int64_t{graph.items} + 63) / 64),
      bitmap_(queue, kSetting),
      offsets_(queue, kSetting),
      neighbours_(queue, kSetting) {
  if (graph.users * row_words_ * 8 <= bitmap_bytes) {
    bitmap_.assign(bitmap());
  } else {
    offsets_.assign(graph.user_offsets);
    neighbours_.assign(graph.user_items);
  }
}

std::vector<std::uint64_t> NegativeSampler::bitmap() const {
  std::vector<std::uint64_t> words(static_cast<std::size_t>(graph_.users * row_words_));
  for (std::int32_t user = 0; user < graph_.users; ++user) {
    for (const std::int32_t item : graph_.items_of(user)) {
      words[user * row_words_ + item / 64] |= std::uint64_t{1} << (item % 64);
    }
  }
  return words;
}

void NegativeSampler::draw(std::uint32_t epoch, const std::int32_t* users,
                           const std::uint32_t* edges, std::int64_t count, std::int32_t first_item,
                           std::int32_t* negatives) const {
  const kernels::NegativeDraws draws{seed_, epoch, users, edges, count, first_item};
  if (bitmap_.size() > 0) {
    kernels::sample_negatives(queue_, kernels::EdgeBitmap{bitmap_.data(), row_words_, graph_.items},
                              draws, negatives);
  } else {
    kernels::sample_negatives(queue_,
                              kernels::EdgeLists{offsets_.data(), neighbours_.data(), graph_.items},
                              draws, negatives);
  }
}

}  // namespace rallrec::data
