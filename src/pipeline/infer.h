#pragma once

#include <string>

#include "config/options.h"
#include "distributed/communicator.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

struct InferFiles {
  std::string model;    // Hugging Face folder
  std::string adapter;  // PEFT folder; empty: the bare model
  std::string input;    // prompts; an answer in them is not looked at
  std::string output;   // JSON Lines
  bool squashed = false;
};

// Scores prompts: the input's records in order with their keys, plus score, logit_yes and logit_no,
// and score_squashed where asked for. Collective.
void infer(const InferFiles& files, const config::Options& options,
           distributed::Communicator& communicator);

// Stage infer: prompt/test.jsonl with tune/adapter → infer/scores.jsonl; where infer.zero_shot is
// on, prompt/zero_shot.jsonl (else test.jsonl) without adapter → infer/zero_shot_scores.jsonl.
void run_infer(StageContext& context);

}  // namespace rallrec::pipeline
