#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/llm/causal_lm.h"
#include "train/packing.h"

namespace rallrec::train {

// Tokenised prompts in file order, one flat array of ids: the same on every rank, so that each rank
// can pack any step by itself. About 4 bytes per token.
class PromptDataset {
 public:
  // `source` is the file the prompts came from, for messages.
  explicit PromptDataset(std::string source);

  // Appends a prompt: `ids` is prompt and answer, the tokens from `first_label` on are trained on
  // (none where the answer is left to the model); 0 < first_label <= ids.size(). `line` is where it
  // stands in the file, counted from 1. `shown` are tokens before `first_label`, ascending and not
  // the first, that are trained on as well.
  void add(const std::vector<std::int64_t>& ids, std::int64_t first_label, std::int64_t line,
           const std::vector<std::int64_t>& shown = {});

  std::int64_t size() const { return static_cast<std::int64_t>(first_labels_.size()); }
  // Of all prompts together, answers included.
  std::int64_t tokens() const { return offsets_.back(); }
  PromptSize size_of(std::int64_t prompt) const;
  const std::int32_t* ids_of(std::int64_t prompt) const { return ids_.data() + offsets_[prompt]; }
  std::int64_t first_label_of(std::int64_t prompt) const { return first_labels_[prompt]; }
  // All tokens of a prompt that are trained on, ascending.
  std::vector<std::int64_t> labels_of(std::int64_t prompt) const;
  // "file:line".
  std::string name_of(std::int64_t prompt) const;

  std::vector<std::int64_t> lengths_of(const std::vector<std::int64_t>& prompts) const;

 private:
  std::string source_;
  std::vector<std::int32_t> ids_;
  std::vector<std::int64_t> offsets_ = {0};
  std::vector<std::int64_t> first_labels_;
  std::vector<std::int32_t> shown_;
  std::vector<std::int64_t> shown_offsets_ = {0};
  std::vector<std::int64_t> lines_;
};

// The prompts named by `members` (indices into `prompts`) packed back to back. A sequence's dropout
// key is its index in the data set.
models::llm::MicroBatch make_micro_batch(const PromptDataset& dataset,
                                         const std::vector<std::int64_t>& prompts,
                                         const std::vector<std::int64_t>& members);

}  // namespace rallrec::train
