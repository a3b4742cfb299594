#pragma once

#include <string>

#include "config/options.h"
#include "distributed/communicator.h"
#include "pipeline/stage.h"
#include "train/trainer.h"

namespace rallrec::pipeline {

// One tuning run on a person's own files.
struct TuneFiles {
  std::string model;          // Hugging Face folder
  std::string train;          // prompts with answers
  std::string valid;          // the same for choosing the best adapter; may be empty
  std::string output;         // receives adapter/, checkpoints/, metrics.jsonl, trainer_state.json
  std::string signal_folder;  // where checkpoint.now is looked for
  std::string resume = "auto";
  // Receives when each layer was gathered and computed with, as a Chrome trace; empty: none.
  std::string trace;
};

struct TuneResult {
  train::TrainingOutcome outcome = train::TrainingOutcome::kFinished;
  std::int64_t steps = 0;
  std::int64_t train_prompts = 0;
  std::int64_t train_tokens = 0;
};

// LoRA instruction tuning. Goes on from the newest checkpoint in `output` that verifies; a run that
// has ended says so and returns. Collective.
TuneResult tune(const TuneFiles& files, const config::Options& options,
                distributed::Communicator& communicator);

// Stage tune: prompt/train.jsonl and prompt/valid.jsonl, or test.jsonl where tune.select_on says
// so, → tune/…. Throws Error with kCheckpointed where a stop was asked for.
void run_tune(StageContext& context);

}  // namespace rallrec::pipeline
