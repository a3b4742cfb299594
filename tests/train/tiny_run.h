#pragma once

#include "train/trainer.h"

namespace rallrec::train {

// A run as the tests of the trainer start it: base model and identity are made up.
inline TrainingRun tiny_run(models::llm::CausalLm& model, models::llm::LoraAdapter& adapter,
                            const PromptDataset& train, const PromptDataset* valid,
                            distributed::Communicator& communicator,
                            const config::TuneOptions& options, const std::string& folder,
                            StopSignals& signals) {
  return {model,   adapter, train,  valid,           communicator,
          options, folder,  "tiny", {"c", "d", "m"}, signals};
}

}  // namespace rallrec::train
