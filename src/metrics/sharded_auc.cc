#include "metrics/sharded_auc.h"

#include <algorithm>
#include <utility>

#include "metrics/score_order.h"

namespace rallrec::metrics {
namespace {

using distributed::Communicator;
using distributed::DType;

// The samples of one score.
struct ScoreRun {
  std::uint64_t key;
  std::uint64_t positives;
  std::uint64_t negatives;
};
constexpr std::size_t kWords = sizeof(ScoreRun) / sizeof(std::uint64_t);

// Keys that each rank shows to the others to agree on ranges, per rank: a range is then at most a
// sixteenth of a mean one too large.
constexpr std::size_t kShownPerRank = 16;

bool comes_before(const ScoreRun& a, const ScoreRun& b) { return a.key < b.key; }

// Adds a run, or joins it to the last one where that has its key.
void append(const ScoreRun& run, std::vector<ScoreRun>& runs) {
  if (!runs.empty() && runs.back().key == run.key) {
    runs.back().positives += run.positives;
    runs.back().negatives += run.negatives;
  } else {
    runs.push_back(run);
  }
}

ScoreRun run_of(const KeyedScore& sample) {
  const std::uint64_t label = sample.tag % 2;
  return {sample.key, label, 1 - label};
}

std::vector<ScoreRun> runs_of(const KeyedScores& keyed) {
  std::vector<ScoreRun> runs;
  runs.reserve(keyed.size());
  for (const KeyedScore& score : keyed) {
    append(run_of(score), runs);
  }
  return runs;
}

// The first key of each rank's range but the first's: equal on all ranks.
std::vector<std::uint64_t> agree_on_ranges(Communicator& communicator,
                                           const std::vector<ScoreRun>& runs) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const std::size_t shown = kShownPerRank * ranks;
  std::vector<std::uint64_t> mine;
  for (std::size_t i = 0; i < (runs.empty() ? 0 : shown); ++i) {
    mine.push_back(runs[i * runs.size() / shown].key);
  }
  std::vector<std::uint64_t> counts(ranks);
  const std::uint64_t count = mine.size();
  communicator.all_gather(&count, counts.data(), 1, DType::kInt64);
  std::vector<std::size_t> sizes(counts.begin(), counts.end());
  std::size_t total = 0;
  for (const std::size_t size : sizes) {
    total += size;
  }
  std::vector<std::uint64_t> all(total);
  communicator.all_gather_v(mine.data(), all.data(), sizes, DType::kInt64);
  std::sort(all.begin(), all.end());
  std::vector<std::uint64_t> first_keys;
  for (std::size_t rank = 1; rank < ranks && total > 0; ++rank) {
    first_keys.push_back(all[rank * total / ranks]);
  }
  first_keys.resize(ranks - 1, 0);
  return first_keys;
}

// Words that go to each rank.
std::vector<std::size_t> counts_for_ranks(const std::vector<ScoreRun>& runs,
                                          const std::vector<std::uint64_t>& first_keys) {
  std::vector<std::size_t> counts;
  auto begin = runs.begin();
  for (const std::uint64_t key : first_keys) {
    const auto end = std::lower_bound(begin, runs.end(), ScoreRun{key, 0, 0}, comes_before);
    counts.push_back(static_cast<std::size_t>(end - begin) * kWords);
    begin = end;
  }
  counts.push_back(static_cast<std::size_t>(runs.end() - begin) * kWords);
  return counts;
}

// Joins lists of ascending runs, `words` long each, to one: neighbours two by two.
std::vector<ScoreRun> merge(std::vector<ScoreRun>& runs, const std::vector<std::size_t>& words) {
  std::vector<std::ptrdiff_t> ends{0};
  for (const std::size_t count : words) {
    ends.push_back(ends.back() + static_cast<std::ptrdiff_t>(count / kWords));
  }
  std::vector<ScoreRun> merged(runs.size());
  while (ends.size() > 2) {
    std::vector<std::ptrdiff_t> next{0};
    for (std::size_t list = 0; list + 1 < ends.size(); list += 2) {
      const std::ptrdiff_t last = ends[std::min(list + 2, ends.size() - 1)];
      std::merge(runs.begin() + ends[list], runs.begin() + ends[list + 1],
                 runs.begin() + ends[list + 1], runs.begin() + last, merged.begin() + ends[list],
                 comes_before);
      next.push_back(last);
    }
    runs.swap(merged);
    ends = std::move(next);
  }
  return std::move(runs);
}

// All ranks' runs in this rank's range, in order of their keys.
std::vector<ScoreRun> exchange_runs(Communicator& communicator, const std::vector<ScoreRun>& runs) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const std::vector<std::size_t> sent = counts_for_ranks(runs, agree_on_ranges(communicator, runs));
  std::vector<std::uint64_t> sent_words(sent.begin(), sent.end());
  std::vector<std::uint64_t> received_words(ranks);
  communicator.all_to_all(sent_words.data(), received_words.data(), 1, DType::kInt64);
  const std::vector<std::size_t> received(received_words.begin(), received_words.end());
  std::size_t total = 0;
  for (const std::size_t words : received) {
    total += words;
  }
  std::vector<ScoreRun> parts(total / kWords);
  communicator.all_to_all_v(runs.data(), sent, parts.data(), received, DType::kInt64);
  return merge(parts, received);
}

// What scores in ascending order come to. Pairs are counted twice, so that ties count once.
class PairCounter {
 public:
  void add(const ScoreRun& run) {
    if (run.key != tie_.key) {
      end_tie();
      tie_ = run;
    } else {
      tie_.positives += run.positives;
      tie_.negatives += run.negatives;
    }
  }
  void end_tie() {
    half_pairs_ += tie_.positives * (2 * negatives_ + tie_.negatives);
    positives_ += tie_.positives;
    negatives_ += tie_.negatives;
    tie_.positives = tie_.negatives = 0;
  }

  // After end_tie(), for the scores that were added alone.
  std::uint64_t half_pairs() const { return half_pairs_; }
  std::uint64_t positives() const { return positives_; }
  std::uint64_t negatives() const { return negatives_; }

 private:
  ScoreRun tie_{};
  std::uint64_t half_pairs_ = 0;
  std::uint64_t positives_ = 0;
  std::uint64_t negatives_ = 0;
};

// The pairs whose positive lies in this rank's range, but for those with negatives of lower ranges.
PairCounter count_own_range(Communicator& communicator, const KeyedScores& keyed) {
  PairCounter counter;
  if (communicator.size() == 1) {
    for (const KeyedScore& score : keyed) {
      counter.add(run_of(score));
    }
  } else {
    for (const ScoreRun& run : exchange_runs(communicator, runs_of(keyed))) {
      counter.add(run);
    }
  }
  counter.end_tie();
  return counter;
}

struct Counts {
  std::uint64_t positives = 0;
  std::uint64_t negatives = 0;
};

}  // namespace

std::optional<double> sharded_auc(Communicator& communicator, const std::vector<double>& scores,
                                  const std::vector<std::uint8_t>& labels) {
  KeyedScores keyed = keyed_samples(scores, labels);
  sort_scores(keyed);
  const PairCounter own = count_own_range(communicator, keyed);
  const Counts mine{own.positives(), own.negatives()};
  std::vector<Counts> all(static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(&mine, all.data(), sizeof(Counts) / sizeof(std::uint64_t), DType::kInt64);
  Counts total;
  std::uint64_t below = 0;
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    below += rank < static_cast<std::size_t>(communicator.rank()) ? all[rank].negatives : 0;
    total.positives += all[rank].positives;
    total.negatives += all[rank].negatives;
  }
  std::uint64_t pairs = own.half_pairs() + 2 * own.positives() * below;
  communicator.all_reduce(&pairs, 1, DType::kInt64);
  if (total.positives == 0 || total.negatives == 0) {
    return std::nullopt;
  }
  return static_cast<double>(pairs) /
         (2.0 * static_cast<double>(total.positives) * static_cast<double>(total.negatives));
}

}  // namespace rallrec::metrics
