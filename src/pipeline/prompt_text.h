#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/options.h"
#include "models/llm/llm_config.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "train/prompt_encoder.h"

namespace rallrec::pipeline {

// The text side of a model folder: tokenizer, chat frame and the longest prompt.
class PromptText {
 public:
  PromptText(const std::string& model_folder, const config::Options& options);

  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  // prompt.cutoff, or fewer where the model has fewer positions.
  std::int64_t cutoff() const { return cutoff_; }
  // Deviations of section [refcompat] concern prompts with an answer alone.
  train::PromptEncoder encoder(train::PromptEncoder::Answer answer) const;
  // For training prompts: the answer is needed, and tune.shown_answers adds those of the prompt.
  train::PromptEncoder training_encoder() const;

 private:
  // On the heap: the chat frame points at it, also after a move.
  std::unique_ptr<const text::Tokenizer> tokenizer_;
  text::ChatTemplate chat_;
  std::int64_t cutoff_ = 0;
  std::int64_t scoring_cutoff_ = 0;
  bool shown_answers_;
  train::EncodingDeviations deviations_;
};

}  // namespace rallrec::pipeline
