#include "kernels/top_k.h"

#include "core/check.h"
#include "kernels/top_k_gpu.h"

namespace rallrec::kernels {

void top_k(const Queue& queue, const ScoredLists& lists, std::int64_t k, std::int32_t* best) {
  RALLREC_CHECK(lists.lists >= 0 && k >= 0, "top_k: negative size");
  if (lists.lists == 0 || k == 0) {
    return;
  }
  RALLREC_CHECK(lists.offsets != nullptr && best != nullptr, "top_k: null offsets or result");
  if (queue.device == Device::kCuda) {
    detail::top_k_gpu(queue, lists, k, best);
    return;
  }
  RALLREC_CHECK(lists.offsets[lists.lists] == lists.offsets[0] || lists.scores != nullptr,
                "top_k: null scores");
  top_k_cpu(lists, k, best);
}

}  // namespace rallrec::kernels
