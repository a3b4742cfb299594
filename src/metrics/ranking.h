#pragma once

#include <cstdint>
#include <vector>

#include "distributed/communicator.h"

namespace rallrec::metrics {

// Item lists of users in compressed rows, owned by somebody else: user u has
// items[offsets[u], offsets[u + 1]), distinct.
struct ItemLists {
  const std::int64_t* offsets = nullptr;  // [users + 1]
  const std::int32_t* items = nullptr;
};

// Full ranking: for every user with at least one relevant item all items are ranked by the dot
// product of user and item vector, except the user's masked (training) items and those whose
// product is not a number. Ties go to the smaller item.
//
// What has no vector is never found, yet counts among what is relevant: items from `items` on, and
// users from `users` on, whose lists stand behind those of the others.
struct RankingTask {
  const float* user_vectors = nullptr;  // fp32 [users, width]
  const float* item_vectors = nullptr;  // fp32 [items, width]
  std::int64_t users = 0;
  std::int64_t items = 0;
  std::int64_t width = 0;
  ItemLists masked;    // of the users with a vector
  ItemLists relevant;  // of these and the unknown users
  std::int64_t unknown_users = 0;
};

// recall@k = hits / relevant items; ndcg@k = sum over hits of 1 / log2(place + 1), places from 1,
// over the same sum for min(k, relevant) hits at the top. Means over the users with a relevant
// item.
struct RankingMetrics {
  std::int64_t users = 0;  // that count in the means
  std::vector<std::int64_t> cutoffs;
  std::vector<double> recall;  // per cutoff; 0 where no user counts
  std::vector<double> ndcg;
};

// Scores fixed blocks of users, so users × items is never in memory. Ranks share the blocks; the
// means are taken in user order, so every rank returns the same bits whatever the number of ranks.
// `cutoffs` are positive and ascending. Collective.
RankingMetrics full_ranking(const RankingTask& task, const std::vector<std::int64_t>& cutoffs,
                            distributed::Communicator& communicator);

}  // namespace rallrec::metrics
