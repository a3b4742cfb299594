#include "pipeline/prompt_text.h"

#include <algorithm>

namespace rallrec::pipeline {

PromptText::PromptText(const std::string& model_folder, const config::Options& options)
    : tokenizer_(std::make_unique<const text::Tokenizer>(text::Tokenizer::load(model_folder))),
      chat_(*tokenizer_, {options.prompt.chat_format, options.prompt.date_header}),
      cutoff_(
          std::min(options.prompt.cutoff, models::llm::read_llm_config(model_folder).max_position)),
      shown_answers_(options.tune.shown_answers) {}

train::PromptEncoder PromptText::encoder(train::PromptEncoder::Answer answer) const {
  return train::PromptEncoder(chat_, cutoff_, answer);
}

train::PromptEncoder PromptText::training_encoder() const {
  return train::PromptEncoder(
      chat_, cutoff_, train::PromptEncoder::Answer::kRequired,
      shown_answers_ ? std::optional(text::ShownAnswers(*tokenizer_)) : std::nullopt);
}

}  // namespace rallrec::pipeline
