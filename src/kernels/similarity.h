#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels {

// scores[q, c] = <queries_q, candidates_c>; all fp32, row-major: queries [query_count, width],
// candidates [candidate_count, width], scores [query_count, candidate_count]. The bits of a score
// depend on its two vectors alone. The caller bounds query_count so that scores fit in memory.
void similarity(const Queue& queue, const float* queries, std::int64_t query_count,
                const float* candidates, std::int64_t candidate_count, std::int64_t width,
                float* scores);

// Ragged lists of candidates over one matrix of vectors: scores[e] = <vectors_{queries[l]},
// vectors_{candidates[e]}> for e in [offsets[l], offsets[l + 1]). `offsets` has lists + 1 entries
// and may start above 0; `scores` and `candidates` are indexed by e. Row numbers are trusted.
struct CandidateLists {
  std::int64_t lists = 0;
  const std::int64_t* offsets = nullptr;
  const std::int32_t* queries = nullptr;     // [lists]
  const std::int32_t* candidates = nullptr;  // [offsets[lists]]
};
void similarity_of_lists(const Queue& queue, const float* vectors, std::int64_t width,
                         const CandidateLists& lists, float* scores);

void similarity_cpu(const float* queries, std::int64_t query_count, const float* candidates,
                    std::int64_t candidate_count, std::int64_t width, float* scores);
void similarity_of_lists_cpu(const float* vectors, std::int64_t width, const CandidateLists& lists,
                             float* scores);

}  // namespace rallrec::kernels
