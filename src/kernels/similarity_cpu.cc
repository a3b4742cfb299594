#include <algorithm>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/similarity.h"
#include "kernels/tile_matmul.h"
#include "kernels/vector_rows.h"

namespace rallrec::kernels {
namespace {

// Candidates whose packed copy is in use at a time.
constexpr std::int64_t kCandidateBlock = 256;

}  // namespace

void similarity_cpu(const float* queries, std::int64_t query_count, const float* candidates,
                    std::int64_t candidate_count, std::int64_t width, float* scores) {
  const std::int64_t blocks = (candidate_count + kCandidateBlock - 1) / kCandidateBlock;
  parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> packed(packed_size(width, kCandidateBlock));
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t first = block * kCandidateBlock;
      const std::int64_t count = std::min(kCandidateBlock, candidate_count - first);
      const Panels panels =
          pack_panels(candidates + first * width, 1, width, width, count, packed.data());
      tile_matmul({queries, width, 1}, panels, query_count, width, count, false, scores + first,
                  candidate_count);
    }
  });
}

void similarity_of_lists_cpu(const float* vectors, std::int64_t width, const CandidateLists& lists,
                             float* scores) {
  parallel_for(lists.lists, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t l = begin; l < end; ++l) {
      const float* query = vectors + lists.queries[l] * width;
      for (std::int64_t e = lists.offsets[l]; e < lists.offsets[l + 1]; ++e) {
        scores[e] = dot_row(query, vectors + lists.candidates[e] * width, width);
      }
    }
  });
}

}  // namespace rallrec::kernels
