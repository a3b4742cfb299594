#pragma once

#include <cstdint>
#include <vector>

#include "distributed/communicator.h"
#include "models/llm/causal_lm.h"
#include "text/chat_template.h"
#include "train/prompt_dataset.h"

namespace rallrec::train {

// The model's verdict on one prompt, from the logits at its last position.
struct Score {
  double logit_yes = 0.0;
  double logit_no = 0.0;
  // σ(P(yes) − P(no)) with the softmax over the whole vocabulary: the authors' double softmax. NaN
  // where it was not asked for.
  double squashed = 0.0;

  // P(yes) = exp(z_yes) / (exp(z_yes) + exp(z_no)).
  double probability() const;
};

struct ScoringOptions {
  std::int64_t token_budget = 2048;
  bool squashed = false;
};

// Scores of all prompts, in order, on every rank. Prompts are packed in file order by the token
// budget alone, so neighbours that begin alike share a batch; what all prompts of a batch begin
// with is computed once. Each rank runs a contiguous part of the batches, and scores do not depend
// on how many ranks there are. kNonFinite naming the prompt where a logit is not finite.
// Collective.
std::vector<Score> score_prompts(models::llm::CausalLm& model,
                                 const models::llm::LoraAdapter* adapter,
                                 const PromptDataset& prompts, text::LabelWords words,
                                 const ScoringOptions& options,
                                 distributed::Communicator& communicator);

}  // namespace rallrec::train
