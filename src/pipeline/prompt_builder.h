#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "data/dataset.h"
#include "data/history.h"
#include "pipeline/history_choice.h"
#include "text/chat_template.h"
#include "text/prompt_template.h"
#include "text/refcompat_rerank.h"

namespace rallrec::pipeline {

struct Prompt {
  std::string input;
  std::int64_t tokens = 0;   // of prompt and answer in the model's frame
  std::int64_t dropped = 0;  // interactions left out so that it fits
};

// The answer of label 1 and of label 0.
const char* answer_of(std::uint8_t label);

// Writes the prompts of a data set. What it is made from must outlive it. Not for several threads.
class PromptBuilder {
 public:
  PromptBuilder(const data::Dataset& dataset, const text::PromptTemplate& wording,
                const text::ChatTemplate& chat, const config::Options& options);

  // `similar`: the places of the sample's history by similarity to its target, nearest first; not
  // looked at in a view without retrieval. Interactions are dropped from the least relevant end
  // until prompt and answer have at most prompt.cutoff tokens; usage where that does not suffice.
  // With refcompat.right_truncation none is: tune cuts the end off.
  Prompt build(std::int32_t sample, text::View view, const std::vector<std::int32_t>& similar);

 private:
  HistoryChoice choose(std::int32_t sample, text::View view,
                       const std::vector<std::int32_t>& similar);
  std::string write(std::int32_t sample, text::View view, const HistoryChoice& choice,
                    std::size_t count) const;
  // More than the cutoff where the text is too long to be encoded at all.
  std::int64_t tokens_of(const std::string& input, std::int32_t sample) const;

  const data::Dataset& dataset_;
  const text::PromptTemplate& wording_;
  const text::ChatTemplate& chat_;
  const text::RerankOptions rerank_;
  const text::ListFormat list_format_;
  const std::int64_t cutoff_;
  const double threshold_;
  const bool exclude_target_;
  const config::RefcompatOptions refcompat_;
  const text::TwoThirds two_thirds_;
  data::CandidateFilter filter_;
};

}  // namespace rallrec::pipeline
