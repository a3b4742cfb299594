#include "train/scorer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "core/check.h"
#include "core/error.h"
#include "distributed/flight_marks.h"
#include "logging/progress.h"
#include "train/packing.h"

namespace rallrec::train {
namespace {

constexpr std::size_t kFields = 3;
static_assert(sizeof(Score) == kFields * sizeof(double));

// The batches of all ranks: batch b is prompts [cuts[b], cuts[b + 1]), rank r runs the batches
// [parts[r], parts[r + 1]).
struct Plan {
  std::vector<std::int64_t> cuts;
  std::vector<std::int64_t> parts;

  std::int64_t batches() const { return static_cast<std::int64_t>(cuts.size()) - 1; }
  // The first prompt of rank's part.
  std::int64_t first_prompt(int rank) const { return cuts[parts[static_cast<std::size_t>(rank)]]; }
};

Plan plan_batches(const PromptDataset& prompts, std::int64_t token_budget, const PackingCost& cost,
                  int ranks) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(prompts.size()));
  std::iota(all.begin(), all.end(), 0);
  const std::vector<std::int64_t> lengths = prompts.lengths_of(all);
  Plan plan;
  plan.cuts = pack_in_order(lengths, token_budget);
  std::vector<double> costs(static_cast<std::size_t>(plan.batches()), 0.0);
  for (std::int64_t batch = 0; batch < plan.batches(); ++batch) {
    for (std::int64_t i = plan.cuts[batch]; i < plan.cuts[batch + 1]; ++i) {
      costs[batch] += cost.of(lengths[i]);
    }
  }
  plan.parts = split_by_cost(costs, ranks);
  return plan;
}

// Tokens that prompts [begin, end) all begin with: wording before the history is the same in every
// prompt. Two tokens or more, and as many of each prompt left over: a single query's attention sums
// in another order, and a prompt's score is not to depend on the prompts beside it.
std::int64_t shared_start(const PromptDataset& prompts, std::int64_t begin, std::int64_t end) {
  if (end - begin < 2) {
    return 0;
  }
  const auto spare = [&prompts](std::int64_t prompt) {
    return std::max<std::int64_t>(0, prompts.size_of(prompt).tokens - 2);
  };
  const std::int32_t* first = prompts.ids_of(begin);
  std::int64_t shared = spare(begin);
  for (std::int64_t prompt = begin + 1; prompt < end; ++prompt) {
    shared = std::min(shared, spare(prompt));
    shared = std::mismatch(first, first + shared, prompts.ids_of(prompt)).first - first;
  }
  return shared < 2 ? 0 : shared;
}

models::llm::PackedBatch pack(const PromptDataset& prompts, std::int64_t begin, std::int64_t end) {
  const std::int64_t shared = shared_start(prompts, begin, end);
  models::llm::PackedBatch batch;
  batch.offsets = {0};
  const auto append = [&batch](const std::int32_t* from, const std::int32_t* to) {
    batch.ids.insert(batch.ids.end(), from, to);
    batch.offsets.push_back(batch.tokens());
  };
  if (shared > 0) {
    batch.first_is_prefix = true;
    append(prompts.ids_of(begin), prompts.ids_of(begin) + shared);
  }
  for (std::int64_t prompt = begin; prompt < end; ++prompt) {
    const std::int32_t* ids = prompts.ids_of(prompt);
    append(ids + shared, ids + prompts.size_of(prompt).tokens);
  }
  return batch;
}

// Hidden states at the last token of each prompt, [prompts, hidden].
at::Tensor last_states(models::llm::CausalLm& model, const models::llm::PackedBatch& batch,
                       const models::llm::LoraAdapter* adapter) {
  std::vector<std::int64_t> last;
  for (std::int64_t s = batch.first_is_prefix ? 1 : 0; s < batch.sequences(); ++s) {
    last.push_back(batch.offsets[s + 1] - 1);
  }
  return model.hidden_states_at(batch, last, adapter);
}

// σ(P(yes) − P(no)) of one row of logits.
double squash(const float* logits, std::int64_t vocabulary, text::LabelWords words) {
  const double largest = *std::max_element(logits, logits + vocabulary);
  double sum = 0.0;
  for (std::int64_t i = 0; i < vocabulary; ++i) {
    sum += std::exp(logits[i] - largest);
  }
  const double yes = std::exp(logits[words.yes] - largest) / sum;
  const double no = std::exp(logits[words.no] - largest) / sum;
  return 1.0 / (1.0 + std::exp(no - yes));
}

void score_rows(models::llm::CausalLm& model, const at::Tensor& rows, text::LabelWords words,
                bool squashed, std::vector<Score>& scores) {
  const at::Tensor two = model.logits_of(rows, {words.yes, words.no}).contiguous();
  const at::Tensor all = squashed ? model.logits(rows).contiguous() : at::Tensor();
  const float* pair = two.const_data_ptr<float>();
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    Score score{pair[2 * i], pair[2 * i + 1], std::numeric_limits<double>::quiet_NaN()};
    if (squashed) {
      score.squashed = squash(all.const_data_ptr<float>() + i * all.size(1), all.size(1), words);
    }
    scores.push_back(score);
  }
}

std::vector<Score> gather_scores(const std::vector<Score>& mine, const Plan& plan,
                                 std::int64_t prompts, distributed::Communicator& communicator) {
  std::vector<std::size_t> counts;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    counts.push_back((plan.first_prompt(rank + 1) - plan.first_prompt(rank)) * kFields);
  }
  std::vector<Score> all(static_cast<std::size_t>(prompts));
  communicator.all_gather_v(mine.data(), all.data(), counts, distributed::DType::kFloat64);
  return all;
}

void require_finite(const std::vector<Score>& scores, const PromptDataset& prompts) {
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isfinite(scores[i].logit_yes) || !std::isfinite(scores[i].logit_no)) {
      throw Error(ExitCode::kNonFinite, prompts.name_of(static_cast<std::int64_t>(i)) +
                                            ": the model's logits are not finite; check the "
                                            "weights and the adapter");
    }
  }
}

}  // namespace

double Score::probability() const { return 1.0 / (1.0 + std::exp(logit_no - logit_yes)); }

std::vector<Score> score_prompts(models::llm::CausalLm& model,
                                 const models::llm::LoraAdapter* adapter,
                                 const PromptDataset& prompts, text::LabelWords words,
                                 const ScoringOptions& options,
                                 distributed::Communicator& communicator) {
  const Plan plan = plan_batches(prompts, options.token_budget, packing_cost(model.config()),
                                 communicator.size());
  const std::int64_t mine_begin = plan.parts[static_cast<std::size_t>(communicator.rank())];
  const std::int64_t mine_end = plan.parts[static_cast<std::size_t>(communicator.rank()) + 1];
  std::vector<Score> mine;
  logging::Progress progress("infer", "batches", mine_end - mine_begin);
  for (std::int64_t batch = mine_begin; batch < mine_end; ++batch) {
    const auto packed = pack(prompts, plan.cuts[batch], plan.cuts[batch + 1]);
    score_rows(model, last_states(model, packed, adapter), words, options.squashed, mine);
    progress.advance(1);
  }
  model.join_others();
  distributed::mark_phase(distributed::Phase::kData);
  const std::vector<Score> all = gather_scores(mine, plan, prompts.size(), communicator);
  require_finite(all, prompts);
  return all;
}

}  // namespace rallrec::train
