#include "metrics/ranking.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "distributed/partition.h"
#include "kernels/nearest_rows.h"

namespace rallrec::metrics {
namespace {

constexpr std::int64_t kUserBlock = 256;

using Cutoffs = std::vector<std::int64_t>;

double gain(std::int64_t place_from_zero) {
  return 1.0 / std::log2(static_cast<double>(place_from_zero) + 2.0);
}

// recall and ndcg per cutoff, written to result[0, 2 * cutoffs).
void score_user(const std::vector<bool>& hit, std::int64_t relevant, const Cutoffs& cutoffs,
                double* result) {
  for (std::size_t c = 0; c < cutoffs.size(); ++c) {
    std::int64_t hits = 0;
    double found = 0.0;
    double ideal = 0.0;
    for (std::int64_t place = 0; place < cutoffs[c]; ++place) {
      const bool is_hit = place < static_cast<std::int64_t>(hit.size()) && hit[place];
      hits += is_hit ? 1 : 0;
      found += is_hit ? gain(place) : 0.0;
      ideal += place < relevant ? gain(place) : 0.0;
    }
    result[2 * c] = static_cast<double>(hits) / static_cast<double>(relevant);
    result[2 * c + 1] = found / ideal;
  }
}

// The users in [begin, end) that count, in ascending order.
std::vector<std::int32_t> users_with_relevant(const RankingTask& task, std::int64_t begin,
                                              std::int64_t end) {
  std::vector<std::int32_t> users;
  for (std::int64_t u = begin; u < end; ++u) {
    if (task.relevant.offsets[u] < task.relevant.offsets[u + 1]) {
      users.push_back(static_cast<std::int32_t>(u));
    }
  }
  return users;
}

// Ranks blocks of users; buffers live as long as the object.
class BlockRanker {
 public:
  BlockRanker(const RankingTask& task, const Cutoffs& cutoffs)
      : task_(task), cutoffs_(cutoffs), relevant_(static_cast<std::size_t>(task.items)) {}

  // Appends 2 * cutoffs values per user.
  void rank(const std::int32_t* users, std::int64_t count, std::vector<double>& results) {
    const std::int64_t k = std::min(cutoffs_.back(), task_.items);
    collect(users, count);
    best_.resize(static_cast<std::size_t>(count * k));
    scores_.resize(best_.size());
    kernels::nearest_rows({},
                          {queries_.data(), count, task_.item_vectors, task_.items, task_.width, k,
                           masked_offsets_.data(), masked_.data()},
                          best_.data(), scores_.data());
    for (std::int64_t u = 0; u < count; ++u) {
      results.resize(results.size() + 2 * cutoffs_.size());
      compare(users[u], best_.data() + u * k, k,
              results.data() + results.size() - 2 * cutoffs_.size());
    }
  }

 private:
  // The vectors and the masked items of some users, side by side.
  void collect(const std::int32_t* users, std::int64_t count) {
    queries_.resize(static_cast<std::size_t>(count * task_.width));
    masked_.clear();
    masked_offsets_.assign(1, 0);
    for (std::int64_t u = 0; u < count; ++u) {
      std::copy_n(task_.user_vectors + users[u] * task_.width, task_.width,
                  queries_.begin() + u * task_.width);
      const std::int64_t* const range = task_.masked.offsets + users[u];
      masked_.insert(masked_.end(), task_.masked.items + range[0], task_.masked.items + range[1]);
      std::sort(masked_.begin() + masked_offsets_.back(), masked_.end());
      masked_offsets_.push_back(static_cast<std::int64_t>(masked_.size()));
    }
  }

  void compare(std::int32_t user, const std::int32_t* best, std::int64_t k, double* result) {
    const std::int32_t* first = task_.relevant.items + task_.relevant.offsets[user];
    const std::int32_t* last = task_.relevant.items + task_.relevant.offsets[user + 1];
    mark(first, last, true);
    hit_.assign(static_cast<std::size_t>(k), false);
    for (std::int64_t place = 0; place < k; ++place) {
      hit_[place] = best[place] >= 0 && relevant_[best[place]];
    }
    score_user(hit_, last - first, cutoffs_, result);
    mark(first, last, false);
  }

  // Items without a vector are in no ranking.
  void mark(const std::int32_t* first, const std::int32_t* last, bool value) {
    std::for_each(first, last, [&](std::int32_t item) {
      if (item < task_.items) relevant_[item] = value;
    });
  }

  const RankingTask& task_;
  const Cutoffs& cutoffs_;
  std::vector<bool> relevant_;
  std::vector<bool> hit_;
  std::vector<float> queries_;
  std::vector<std::int32_t> masked_;
  std::vector<std::int64_t> masked_offsets_;
  std::vector<std::int32_t> best_;
  std::vector<float> scores_;
};

// This rank's blocks of users, then everybody's results in user order.
std::vector<double> rank_users(const RankingTask& task, const std::vector<std::int32_t>& users,
                               const Cutoffs& cutoffs, distributed::Communicator& communicator) {
  const auto count = static_cast<std::int64_t>(users.size());
  const auto blocks = static_cast<std::size_t>((count + kUserBlock - 1) / kUserBlock);
  const auto user_of_block = [&](std::size_t block) {
    return std::min(static_cast<std::int64_t>(block) * kUserBlock, count);
  };
  std::vector<std::size_t> counts;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    const auto part = distributed::split_evenly(blocks, communicator.size(), rank);
    counts.push_back(static_cast<std::size_t>(user_of_block(part.end) - user_of_block(part.begin)) *
                     2 * cutoffs.size());
  }
  const auto own = distributed::split_evenly(blocks, communicator.size(), communicator.rank());
  BlockRanker ranker(task, cutoffs);
  std::vector<double> mine;
  for (std::size_t block = own.begin; block < own.end; ++block) {
    const std::int64_t first = user_of_block(block);
    ranker.rank(users.data() + first, user_of_block(block + 1) - first, mine);
  }
  std::vector<double> all(users.size() * 2 * cutoffs.size());
  communicator.all_gather_v(mine.data(), all.data(), counts, distributed::DType::kFloat64);
  return all;
}

}  // namespace

RankingMetrics full_ranking(const RankingTask& task, const std::vector<std::int64_t>& cutoffs,
                            distributed::Communicator& communicator) {
  RALLREC_CHECK(
      !cutoffs.empty() && cutoffs.front() > 0 && std::is_sorted(cutoffs.begin(), cutoffs.end()),
      "full_ranking: cutoffs must be positive and ascending");
  const auto ranked = users_with_relevant(task, 0, task.users);
  const auto unknown = users_with_relevant(task, task.users, task.users + task.unknown_users);
  const auto values = rank_users(task, ranked, cutoffs, communicator);
  const std::size_t users = ranked.size() + unknown.size();
  RankingMetrics metrics{static_cast<std::int64_t>(users), cutoffs,
                         std::vector<double>(cutoffs.size()), std::vector<double>(cutoffs.size())};
  for (std::size_t u = 0; u < ranked.size(); ++u) {
    for (std::size_t c = 0; c < cutoffs.size(); ++c) {
      metrics.recall[c] += values[(u * cutoffs.size() + c) * 2];
      metrics.ndcg[c] += values[(u * cutoffs.size() + c) * 2 + 1];
    }
  }
  for (std::size_t c = 0; c < cutoffs.size() && users > 0; ++c) {
    metrics.recall[c] /= static_cast<double>(users);
    metrics.ndcg[c] /= static_cast<double>(users);
  }
  return metrics;
}

}  // namespace rallrec::metrics
