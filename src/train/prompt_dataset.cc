#include "train/prompt_dataset.h"

#include <utility>

#include "core/check.h"

namespace rallrec::train {

PromptDataset::PromptDataset(std::string source) : source_(std::move(source)) {}

void PromptDataset::add(const std::vector<std::int64_t>& ids, std::int64_t first_label,
                        std::int64_t line, const std::vector<std::int64_t>& shown) {
  RALLREC_CHECK(first_label > 0 && first_label <= static_cast<std::int64_t>(ids.size()),
                "a prompt needs tokens before its first label");
  RALLREC_CHECK(shown.empty() || (shown.front() > 0 && shown.back() < first_label),
                "a shown answer stands between the first token and the answer");
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  shown_.insert(shown_.end(), shown.begin(), shown.end());
  shown_offsets_.push_back(static_cast<std::int64_t>(shown_.size()));
  offsets_.push_back(static_cast<std::int64_t>(ids_.size()));
  first_labels_.push_back(first_label);
  lines_.push_back(line);
}

PromptSize PromptDataset::size_of(std::int64_t prompt) const {
  const std::int64_t tokens = offsets_[prompt + 1] - offsets_[prompt];
  const std::int64_t shown = shown_offsets_[prompt + 1] - shown_offsets_[prompt];
  return {tokens, tokens - first_labels_[prompt] + shown};
}

std::vector<std::int64_t> PromptDataset::labels_of(std::int64_t prompt) const {
  std::vector<std::int64_t> labels(shown_.begin() + shown_offsets_[prompt],
                                   shown_.begin() + shown_offsets_[prompt + 1]);
  for (std::int64_t i = first_labels_[prompt]; i < size_of(prompt).tokens; ++i) {
    labels.push_back(i);
  }
  return labels;
}

std::string PromptDataset::name_of(std::int64_t prompt) const {
  return source_ + ":" + std::to_string(lines_[prompt]);
}

std::vector<std::int64_t> PromptDataset::lengths_of(
    const std::vector<std::int64_t>& prompts) const {
  std::vector<std::int64_t> lengths;
  lengths.reserve(prompts.size());
  for (const std::int64_t prompt : prompts) {
    lengths.push_back(size_of(prompt).tokens);
  }
  return lengths;
}

models::llm::MicroBatch make_micro_batch(const PromptDataset& dataset,
                                         const std::vector<std::int64_t>& prompts,
                                         const std::vector<std::int64_t>& members) {
  models::llm::MicroBatch result;
  result.batch.offsets = {0};
  for (const std::int64_t member : members) {
    const std::int64_t prompt = prompts[member];
    const std::int32_t* ids = dataset.ids_of(prompt);
    const std::int64_t tokens = dataset.size_of(prompt).tokens;
    const std::int64_t start = result.batch.tokens();
    result.batch.ids.insert(result.batch.ids.end(), ids, ids + tokens);
    result.batch.offsets.push_back(start + tokens);
    result.samples.push_back(prompt);
    for (const std::int64_t i : dataset.labels_of(prompt)) {
      result.label_positions.push_back(start + i - 1);
      result.label_ids.push_back(ids[i]);
    }
  }
  return result;
}

}  // namespace rallrec::train
