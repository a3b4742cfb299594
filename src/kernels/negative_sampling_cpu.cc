#include "core/parallel_for.h"
#include "kernels/negative_sampling.h"

namespace rallrec::kernels {

void sample_negatives_cpu(const EdgeBitmap& bitmap, const NegativeDraws& draws,
                          std::int32_t* negatives) {
  constexpr std::int64_t kGrain = 1024;
  parallel_for(draws.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const std::uint64_t* row = bitmap.words + draws.users[b] * bitmap.row_words;
      negatives[b] = draw_negative(
          draws.seed, draws.epoch, draws.edges[b], bitmap.items,
          [&](std::int32_t item) { return (row[item / 64] >> (item % 64) & 1) != 0; });
    }
  });
}

}  // namespace rallrec::kernels
