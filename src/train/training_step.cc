#include "train/training_step.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"
#include "core/finite.h"
#include "distributed/flight_marks.h"
#include "distributed/partition.h"
#include "distributed/tree_reduction.h"

namespace rallrec::train {
namespace {

using models::llm::MicroBatch;
using models::llm::MicroBatchResult;

// What the ranks tell each other about one micro-batch; the prompt index is exact in a double.
struct MicroBatchLosses {
  double loss = 0.0;
  double label_word_loss = 0.0;
  double bad_prompt = -1.0;
};
constexpr std::size_t kFields = 3;
static_assert(sizeof(MicroBatchLosses) == kFields * sizeof(double));

struct Packed {
  std::vector<std::vector<std::int64_t>> members;  // of every micro-batch of the step
  distributed::Range mine;
  std::vector<MicroBatch> micro_batches;  // those of `mine` that are not empty
};

Packed pack_for_rank(const PromptDataset& dataset, const std::vector<std::int64_t>& prompts,
                     std::int64_t token_budget, const models::llm::LlmConfig& config,
                     const distributed::Communicator& communicator) {
  Packed packed;
  packed.members = pack_balanced(dataset.lengths_of(prompts), token_budget, packing_cost(config));
  packed.mine =
      distributed::split_evenly(packed.members.size(), communicator.size(), communicator.rank());
  for (std::size_t i = packed.mine.begin; i < packed.mine.end; ++i) {
    if (!packed.members[i].empty()) {
      packed.micro_batches.push_back(make_micro_batch(dataset, prompts, packed.members[i]));
    }
  }
  return packed;
}

MicroBatchLosses add_up(const PromptDataset& dataset, const MicroBatch& micro_batch,
                        const std::vector<float>& label_losses) {
  RALLREC_CHECK(label_losses.size() == micro_batch.label_ids.size(),
                "the model returned another number of label losses");
  MicroBatchLosses sums;
  std::size_t label = 0;
  for (std::size_t s = 0; s < micro_batch.samples.size(); ++s) {
    const std::int64_t end = micro_batch.batch.offsets[s + 1];
    const std::int64_t label_word =
        micro_batch.batch.offsets[s] + dataset.first_label_of(micro_batch.samples[s]) - 1;
    for (; label < label_losses.size() && micro_batch.label_positions[label] < end; ++label) {
      const double loss = label_losses[label];
      sums.loss += loss;
      sums.label_word_loss += micro_batch.label_positions[label] == label_word ? loss : 0.0;
      if (!std::isfinite(loss) && sums.bad_prompt < 0) {
        sums.bad_prompt = static_cast<double>(micro_batch.samples[s]);
      }
    }
  }
  return sums;
}

// One entry per micro-batch of all ranks, in order.
std::vector<MicroBatchLosses> gather_losses(const std::vector<MicroBatchLosses>& mine,
                                            std::size_t micro_batches,
                                            distributed::Communicator& communicator) {
  std::vector<std::size_t> counts;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    counts.push_back(distributed::split_evenly(micro_batches, communicator.size(), rank).size() *
                     kFields);
  }
  std::vector<MicroBatchLosses> all(micro_batches);
  communicator.all_gather_v(mine.data(), all.data(), counts, distributed::DType::kFloat64);
  return all;
}

MicroBatchLosses total_of(const std::vector<MicroBatchLosses>& losses) {
  MicroBatchLosses total;
  for (const MicroBatchLosses& one : losses) {
    total.loss += one.loss;
    total.label_word_loss += one.label_word_loss;
    total.bad_prompt = total.bad_prompt < 0 ? one.bad_prompt : total.bad_prompt;
  }
  return total;
}

PromptSize size_of_all(const PromptDataset& dataset, const std::vector<std::int64_t>& prompts) {
  PromptSize sum;
  for (const std::int64_t prompt : prompts) {
    sum.tokens += dataset.size_of(prompt).tokens;
    sum.labels += dataset.size_of(prompt).labels;
  }
  return sum;
}

// Takes the results of this rank's micro-batches in order: their losses, and their gradients as
// leaves of the tree. An empty micro-batch is a leaf of zeros, so that leaf numbers do not depend
// on which ones are empty.
class Collector {
 public:
  Collector(const PromptDataset& dataset, const Packed& packed, std::size_t parameters,
            distributed::TreeReduction& reduction)
      : dataset_(dataset), packed_(packed), zeros_(parameters, 0.0F), reduction_(reduction) {
    pass_over_empty_ones();
  }

  void take(const MicroBatchResult& result) {
    RALLREC_CHECK(next_ < packed_.micro_batches.size(),
                  "the model returned another number of micro-batches");
    const MicroBatch& micro_batch = packed_.micro_batches[next_++];
    const at::Tensor gradient = result.gradient.contiguous();
    RALLREC_CHECK(static_cast<std::size_t>(gradient.numel()) == zeros_.size(),
                  "the gradient has another length than the adapter");
    const float* values = gradient.const_data_ptr<float>();
    losses_.push_back(add_up(dataset_, micro_batch, result.label_losses));
    if (losses_.back().bad_prompt < 0 && !all_finite(values, zeros_.size())) {
      losses_.back().bad_prompt = static_cast<double>(micro_batch.samples.front());
    }
    reduction_.add(values);
    pass_over_empty_ones();
  }

  // One entry per micro-batch of the rank, empty ones included.
  const std::vector<MicroBatchLosses>& losses() const {
    RALLREC_CHECK(losses_.size() == packed_.mine.size(),
                  "the model returned another number of micro-batches");
    return losses_;
  }

 private:
  void pass_over_empty_ones() {
    while (losses_.size() < packed_.mine.size() &&
           packed_.members[packed_.mine.begin + losses_.size()].empty()) {
      reduction_.add(zeros_.data());
      losses_.emplace_back();
    }
  }

  const PromptDataset& dataset_;
  const Packed& packed_;
  const std::vector<float> zeros_;
  distributed::TreeReduction& reduction_;
  std::vector<MicroBatchLosses> losses_;
  std::size_t next_ = 0;
};

// Up to `limit` of `count` numbers, evenly spread: a file may be in the order of time.
std::vector<std::int64_t> evenly_spread(std::int64_t count, std::int64_t limit) {
  const std::int64_t chosen = std::min(limit, count);
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < chosen; ++i) {
    numbers.push_back(i * count / chosen);
  }
  return numbers;
}

// Losses of this rank's micro-batches, a few at a time so that their hidden states fit in memory.
// Every rank makes the same number of calls, since weights may be gathered in them.
std::vector<std::vector<float>> losses_in_waves(models::llm::CausalLm& model,
                                                const models::llm::LoraAdapter* adapter,
                                                const Packed& packed, int ranks) {
  constexpr std::size_t kWave = 8;
  const std::size_t most = distributed::split_evenly(packed.members.size(), ranks, 0).size();
  const auto& all = packed.micro_batches;
  std::vector<std::vector<float>> losses;
  for (std::size_t begin = 0; begin < most; begin += kWave) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(std::min(begin, all.size()));
    const auto last =
        all.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kWave, all.size()));
    for (auto& one : model.label_losses({first, last}, adapter)) {
      losses.push_back(std::move(one));
    }
  }
  return losses;
}

}  // namespace

StepResult run_training_step(models::llm::CausalLm& model, const models::llm::LoraAdapter& adapter,
                             const PromptDataset& dataset, const std::vector<std::int64_t>& prompts,
                             std::int64_t token_budget, models::llm::DropoutKey key,
                             distributed::Communicator& communicator) {
  const Packed packed = pack_for_rank(dataset, prompts, token_budget, model.config(), communicator);
  const PromptSize size = size_of_all(dataset, prompts);
  // Prompts that lost their answer to the cutoff (refcompat.right_truncation) have no label.
  const auto labels = static_cast<double>(std::max<std::int64_t>(1, size.labels));
  StepResult step;
  step.gradient.resize(static_cast<std::size_t>(adapter.flat().numel()));
  distributed::TreeReduction reduction(packed.members.size(), packed.mine, step.gradient.size());
  Collector collector(dataset, packed, step.gradient.size(), reduction);
  model.forward_backward(packed.micro_batches, adapter, key, 1.0 / labels,
                         [&](const MicroBatchResult& one) { collector.take(one); });
  const std::vector<MicroBatchLosses>& mine = collector.losses();
  distributed::mark_phase(distributed::Phase::kReduce);
  reduction.finish(communicator, step.gradient.data());

  const MicroBatchLosses total = total_of(gather_losses(mine, packed.members.size(), communicator));
  step.loss = total.loss / labels;
  step.label_word_loss = total.label_word_loss / static_cast<double>(prompts.size());
  step.tokens = size.tokens;
  step.prompts = static_cast<std::int64_t>(prompts.size());
  step.bad_prompt = static_cast<std::int64_t>(total.bad_prompt);
  if (step.bad_prompt < 0 && !all_finite(step.gradient.data(), step.gradient.size())) {
    step.bad_prompt = prompts.front();  // finite leaves whose sum overflows
  }
  return step;
}

EvaluationResult evaluate_prompts(models::llm::CausalLm& model,
                                  const models::llm::LoraAdapter* adapter,
                                  const PromptDataset& dataset, std::int64_t limit,
                                  std::int64_t token_budget,
                                  distributed::Communicator& communicator) {
  const std::vector<std::int64_t> prompts = evenly_spread(dataset.size(), limit);
  RALLREC_CHECK(!prompts.empty(), "nothing to evaluate");
  const Packed packed = pack_for_rank(dataset, prompts, token_budget, model.config(), communicator);
  const auto results = losses_in_waves(model, adapter, packed, communicator.size());
  std::vector<MicroBatchLosses> mine;
  std::size_t next = 0;
  for (std::size_t i = packed.mine.begin; i < packed.mine.end; ++i) {
    const bool empty = packed.members[i].empty();
    mine.push_back(empty ? MicroBatchLosses{}
                         : add_up(dataset, packed.micro_batches[next], results[next]));
    next += empty ? 0 : 1;
  }
  const MicroBatchLosses total = total_of(gather_losses(mine, packed.members.size(), communicator));
  EvaluationResult result;
  result.prompts = static_cast<std::int64_t>(prompts.size());
  result.loss = total.loss / static_cast<double>(
                                 std::max<std::int64_t>(1, size_of_all(dataset, prompts).labels));
  result.label_word_loss = total.label_word_loss / static_cast<double>(prompts.size());
  return result;
}

}  // namespace rallrec::train
