#include <algorithm>

#include "core/parallel_for.h"
#include "kernels/negative_sampling.h"

namespace rallrec::kernels {
namespace {

// is_edge(user, item).
template <typename IsEdge>
void sample(std::int32_t items, const NegativeDraws& draws, std::int32_t* negatives,
            const IsEdge& is_edge) {
  constexpr std::int64_t kGrain = 1024;
  parallel_for(draws.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      negatives[b] = draws.first_item + draw_negative(draws.seed, draws.epoch, draws.edges[b],
                                                      items, [&](std::int32_t item) {
                                                        return is_edge(draws.users[b], item);
                                                      });
    }
  });
}

}  // namespace

void sample_negatives_cpu(const EdgeBitmap& bitmap, const NegativeDraws& draws,
                          std::int32_t* negatives) {
  sample(bitmap.items, draws, negatives, [&](std::int64_t user, std::int32_t item) {
    return (bitmap.words[user * bitmap.row_words + item / 64] >> (item % 64) & 1) != 0;
  });
}

void sample_negatives_cpu(const EdgeLists& lists, const NegativeDraws& draws,
                          std::int32_t* negatives) {
  sample(lists.items, draws, negatives, [&](std::int64_t user, std::int32_t item) {
    return std::binary_search(lists.neighbours + lists.offsets[user],
                              lists.neighbours + lists.offsets[user + 1], item);
  });
}

}  // namespace rallrec::kernels
