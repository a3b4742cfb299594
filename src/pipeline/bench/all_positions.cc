#include "pipeline/bench/all_positions.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "distributed/partition.h"
#include "pipeline/bench/line.h"

namespace rallrec::pipeline {
namespace {

using models::llm::MicroBatch;

constexpr std::int64_t kPrompts = 4;
// The losses come out of the same operations on more rows.
constexpr double kSameLoss = 1e-5;

// This rank's micro-batches.
std::vector<MicroBatch> label_batches(const BenchStep& step) {
  std::vector<MicroBatch> all;
  for (std::size_t begin = 0; begin < step.prompts.size(); begin += kPrompts) {
    const auto first = step.prompts.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = std::min(first + kPrompts, step.prompts.end());
    all.push_back(train::make_micro_batch(step.dataset, step.prompts, {first, last}));
  }
  const distributed::Communicator& communicator = step.run.communicator;
  const distributed::Range mine =
      distributed::split_evenly(all.size(), communicator.size(), communicator.rank());
  return {all.begin() + static_cast<std::ptrdiff_t>(mine.begin),
          all.begin() + static_cast<std::ptrdiff_t>(mine.end)};
}

// Every token predicts the next one of its prompt.
MicroBatch all_positions_of(const MicroBatch& labels) {
  MicroBatch all = labels;
  all.label_positions.clear();
  all.label_ids.clear();
  const auto& offsets = labels.batch.offsets;
  for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
    for (std::int64_t at = offsets[s]; at + 1 < offsets[s + 1]; ++at) {
      all.label_positions.push_back(at);
      all.label_ids.push_back(labels.batch.ids[static_cast<std::size_t>(at + 1)]);
    }
  }
  return all;
}

struct Arms {
  std::vector<MicroBatch> labels;
  std::vector<MicroBatch> all;
};

// The largest difference of a loss at the same position, where both predict the same token;
// infinite where there is none.
double difference_of_losses(const BenchStep& step, const Arms& arms, models::llm::CausalLm& model,
                            const models::llm::LoraAdapter& adapter) {
  const auto some = model.forward_backward(arms.labels, adapter, {1, 0}, 1.0);
  const auto every = model.forward_backward(arms.all, adapter, {1, 0}, 1.0);
  bool compared = arms.labels.empty();
  double apart = 0.0;
  for (std::size_t b = 0; b < arms.labels.size(); ++b) {
    const auto& positions = arms.all[b].label_positions;
    for (std::size_t i = 0; i < arms.labels[b].label_positions.size(); ++i) {
      const std::int64_t position = arms.labels[b].label_positions[i];
      const auto found = std::lower_bound(positions.begin(), positions.end(), position);
      const auto j = static_cast<std::size_t>(found - positions.begin());
      if (found != positions.end() && *found == position &&
          arms.all[b].label_ids[j] == arms.labels[b].label_ids[i]) {
        const double want = some[b].label_losses[i];
        compared = true;
        apart = std::max(apart, std::abs(every[b].label_losses[j] - want) / std::max(1.0, want));
      }
    }
  }
  apart = compared ? apart : std::numeric_limits<double>::infinity();
  step.run.communicator.all_reduce(&apart, 1, distributed::DType::kFloat64,
                                   distributed::ReduceOp::kMax);
  return apart;
}

}  // namespace

void time_all_positions(const BenchStep& step, models::llm::CausalLm& model,
                        const models::llm::LoraAdapter& adapter) {
  const BenchRun& run = step.run;
  Arms arms{label_batches(step), {}};
  std::transform(arms.labels.begin(), arms.labels.end(), std::back_inserter(arms.all),
                 all_positions_of);
  BenchLine common;
  common.bench = "tune";
  common.work = static_cast<double>(step.tokens);
  common.verified = difference_of_losses(step, arms, model, adapter);
  require_agreement("tune: losses at label positions", common.verified, kSameLoss);
  const std::vector<Seconds> seconds =
      time_arms({[&] {
                   model.forward_backward(arms.labels, adapter, {1, 0}, 1.0);
                 },
                 [&] {
                   model.forward_backward(arms.all, adapter, {1, 0}, 1.0);
                 }},
                run.request.repeats, run.communicator);
  print_pair(common, {"label positions", "all positions"}, seconds, run);
}

}  // namespace rallrec::pipeline
