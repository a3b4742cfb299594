#pragma once

#include <string>

#include "config/options.h"
#include "distributed/communicator.h"
#include "io/json_writer.h"
#include "pipeline/stage.h"
#include "train/scorer.h"

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

// Adds a verdict to a line: score, score_squashed where asked for, logit_yes and logit_no.
void add_score(const train::Score& score, bool squashed, io::JsonObjectWriter& line);

// The adapter of the run's scores, which infer.adapter names; "" for the bare model.
std::string adapter_folder(const config::Options& options, const std::string& run_dir);

// The compute mode of the model that scores: model.quant, or fp32 with
// refcompat.float_base_at_inference.
std::string scoring_quant(const config::Options& options);

// Whether the run's scores have those of the bare model beside them: infer.zero_shot, unless
// infer.adapter = "none" makes them the same.
bool has_zero_shot_scores(const config::Options& options);

// Stage infer: prompt/test.jsonl with the adapter that infer.adapter names → infer/scores.jsonl;
// where has_zero_shot_scores says so, prompt/zero_shot.jsonl (else test.jsonl) without adapter →
// infer/zero_shot_scores.jsonl.
void run_infer(StageContext& context);

}  // namespace rallrec::pipeline
