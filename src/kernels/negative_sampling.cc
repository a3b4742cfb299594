#include "kernels/negative_sampling.h"

#include "core/check.h"
#include "kernels/negative_sampling_gpu.h"

namespace rallrec::kernels {
namespace {

template <typename Edges>
void sample(const Queue& queue, const Edges& edges, const NegativeDraws& draws,
            std::int32_t* negatives) {
  RALLREC_CHECK(draws.users != nullptr && draws.edges != nullptr && negatives != nullptr,
                "sample_negatives: null input or result");
  if (queue.device == Device::kCuda) {
    detail::sample_negatives_gpu(queue, edges, draws, negatives);
  } else {
    sample_negatives_cpu(edges, draws, negatives);
  }
}

}  // namespace

void sample_negatives(const Queue& queue, const EdgeBitmap& bitmap, const NegativeDraws& draws,
                      std::int32_t* negatives) {
  RALLREC_CHECK(draws.count >= 0, "sample_negatives: negative size");
  if (draws.count == 0) {
    return;
  }
  RALLREC_CHECK(
      bitmap.words != nullptr && bitmap.items > 0 && bitmap.row_words * 64 >= bitmap.items,
      "sample_negatives: no items, or rows too short for them");
  sample(queue, bitmap, draws, negatives);
}

void sample_negatives(const Queue& queue, const EdgeLists& lists, const NegativeDraws& draws,
                      std::int32_t* negatives) {
  RALLREC_CHECK(draws.count >= 0, "sample_negatives: negative size");
  if (draws.count == 0) {
    return;
  }
  RALLREC_CHECK(lists.offsets != nullptr && lists.items > 0,
                "sample_negatives: no items or no lists");
  sample(queue, lists, draws, negatives);
}

}  // namespace rallrec::kernels
