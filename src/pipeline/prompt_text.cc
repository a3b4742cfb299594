#include "pipeline/prompt_text.h"

#include <algorithm>

namespace rallrec::pipeline {

PromptText::PromptText(const std::string& model_folder, const config::Options& options)
    : tokenizer_(std::make_unique<const text::Tokenizer>(text::Tokenizer::load(model_folder))),
      chat_(*tokenizer_, {options.prompt.chat_format, options.prompt.date_header,
                          !options.refcompat.no_end_of_turn}),
      shown_answers_(options.tune.shown_answers),
      deviations_{options.refcompat.double_bos, options.refcompat.labels_include_newline,
                  options.refcompat.right_truncation} {
  const std::int64_t positions = models::llm::read_llm_config(model_folder).max_position;
  cutoff_ = std::min(options.prompt.cutoff, positions);
  // Prompts that tune would cut at their end are scored whole.
  scoring_cutoff_ = options.refcompat.right_truncation ? positions : cutoff_;
}

train::PromptEncoder PromptText::encoder(train::PromptEncoder::Answer answer) const {
  if (answer == train::PromptEncoder::Answer::kLeftToModel) {
    return train::PromptEncoder(chat_, scoring_cutoff_, answer);
  }
  return train::PromptEncoder(chat_, cutoff_, answer, std::nullopt, deviations_);
}

train::PromptEncoder PromptText::training_encoder() const {
  return train::PromptEncoder(
      chat_, cutoff_, train::PromptEncoder::Answer::kRequired,
      shown_answers_ ? std::optional(text::ShownAnswers(*tokenizer_)) : std::nullopt, deviations_);
}

}  // namespace rallrec::pipeline
