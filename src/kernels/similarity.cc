#include "kernels/similarity.h"

#include "core/check.h"
#include "kernels/similarity_gpu.h"

namespace rallrec::kernels {

void similarity(const Queue& queue, const float* queries, std::int64_t query_count,
                const float* candidates, std::int64_t candidate_count, std::int64_t width,
                float* scores) {
  RALLREC_CHECK(query_count >= 0 && candidate_count >= 0 && width >= 0,
                "similarity: negative size");
  if (query_count == 0 || candidate_count == 0) {
    return;
  }
  RALLREC_CHECK(scores != nullptr && (width == 0 || (queries != nullptr && candidates != nullptr)),
                "similarity: null input or result");
  if (queue.device == Device::kCuda) {
    detail::similarity_gpu(queue, queries, query_count, candidates, candidate_count, width, scores);
  } else {
    similarity_cpu(queries, query_count, candidates, candidate_count, width, scores);
  }
}

void similarity_of_lists(const Queue& queue, const float* vectors, std::int64_t width,
                         const CandidateLists& lists, float* scores) {
  RALLREC_CHECK(lists.lists >= 0 && width >= 0, "similarity_of_lists: negative size");
  if (lists.lists == 0) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::similarity_of_lists_gpu(queue, vectors, width, lists, scores);
    return;
  }
  if (lists.offsets[lists.lists] == lists.offsets[0]) {
    return;
  }
  RALLREC_CHECK(lists.queries != nullptr && lists.candidates != nullptr && scores != nullptr,
                "similarity_of_lists: null input or result");
  similarity_of_lists_cpu(vectors, width, lists, scores);
}

}  // namespace rallrec::kernels
