#include "metrics/auc.h"

#include <cmath>

#include "core/error.h"
#include "distributed/partition.h"
#include "io/npy.h"
#include "metrics/sharded_auc.h"
#include "pipeline/bench/line.h"

namespace rallrec::pipeline {
namespace {

struct Samples {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
};

// Column 0 is the score, column 1 the label.
Samples read_samples(const std::string& path) {
  const io::NpyMatrix matrix = io::read_npy_matrix(path);
  if (matrix.columns != 2 || matrix.rows < 2) {
    throw_bad_data(path, "expected rows of a score and a label 0 or 1, found a matrix of " +
                             std::to_string(matrix.rows) + " by " + std::to_string(matrix.columns));
  }
  Samples samples;
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    const float score = matrix.values[static_cast<std::size_t>(2 * row)];
    const float label = matrix.values[static_cast<std::size_t>(2 * row + 1)];
    if (std::isnan(score) || (label != 0.0F && label != 1.0F)) {
      throw_bad_data(path, "row " + std::to_string(row) + ": expected a score and a label 0 or 1");
    }
    samples.scores.push_back(score);
    samples.labels.push_back(label != 0.0F ? 1 : 0);
  }
  return samples;
}

Samples own_share(const Samples& all, const distributed::Communicator& communicator) {
  const distributed::Range range =
      distributed::split_evenly(all.scores.size(), communicator.size(), communicator.rank());
  const auto begin = static_cast<std::ptrdiff_t>(range.begin);
  const auto end = static_cast<std::ptrdiff_t>(range.end);
  return {{all.scores.begin() + begin, all.scores.begin() + end},
          {all.labels.begin() + begin, all.labels.begin() + end}};
}

}  // namespace

void bench_auc(const BenchRun& run) {
  if (run.request.input.empty()) {
    throw_usage("bench auc needs --input FILE.npy, fp32 rows of a score and a label");
  }
  const Samples all = read_samples(run.request.input);
  const Samples mine = own_share(all, run.communicator);
  std::optional<double> one;
  std::optional<double> sharded;
  const auto sort_all = [&] { one = metrics::AucRanking(all.scores, all.labels).auc(); };
  const auto over_ranks = [&] {
    sharded = metrics::sharded_auc(run.communicator, mine.scores, mine.labels);
  };
  sort_all();
  over_ranks();
  if (!one || !sharded) {
    throw_bad_data(run.request.input, "all labels are equal");
  }
  BenchLine line;
  line.bench = "auc";
  line.verified = std::fabs(*one - *sharded);
  require_agreement("auc: the two ways", line.verified, 0.0);
  line.work = static_cast<double>(all.scores.size());
  line.more = {{"auc", *one}};
  const auto seconds = time_arms({over_ranks, sort_all}, run.request.repeats, run.communicator);
  print_pair(line, {"over ranks", "one ranking"}, seconds, run);
}

}  // namespace rallrec::pipeline
