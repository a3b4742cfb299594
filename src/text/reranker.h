#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rallrec::text {

// A share in [0, 1] held exactly.
struct Ratio {
  std::int64_t numerator = 2;
  std::int64_t denominator = 3;
};

// "2/3" or a decimal such as "0.65". Throws usage naming `key` on anything else, and outside [0,
// 1].
Ratio ratio_from(const std::string& text, const std::string& key);

// What an item that stands in both channels gets.
enum class RerankCombine { kMax, kSum };
// The order of the result.
enum class RerankOrder { kScore, kTime };

struct RerankOptions {
  std::int64_t k = 30;
  Ratio alpha;
  double beta = 1.0;
  RerankCombine combine = RerankCombine::kMax;
  RerankOrder order = RerankOrder::kScore;
};

RerankCombine rerank_combine_from(const std::string& name);
RerankOrder rerank_order_from(const std::string& name);

// Eq. 8 of RALLRec (arXiv 2502.06101): Score = S_c · S_pos with S_c = alpha in the embedding
// channel and 1 - alpha in the time channel, S_pos = 1 / rank^beta, rank 1 being the most similar
// and the newest.
//
// Items are named by their place in the history, larger = newer. `embedding_channel` is most
// similar first, `time_channel` newest first, each without repeats; the first k of each count.
// Returns the (at most k) best: best first, or oldest first with kTime. Equal scores, which are
// recognised exactly where beta is a whole number: the embedding channel first, then the better
// rank, then the newer item.
std::vector<std::int32_t> rerank(const std::vector<std::int32_t>& embedding_channel,
                                 const std::vector<std::int32_t>& time_channel,
                                 const RerankOptions& options);

}  // namespace rallrec::text
