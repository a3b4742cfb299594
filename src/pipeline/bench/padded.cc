#include "pipeline/bench/padded.h"

#include <algorithm>

#include "pipeline/bench/model.h"

namespace rallrec::pipeline {
namespace {

using models::llm::MicroBatch;

constexpr std::int64_t kPrompts = 4;

MicroBatch filled_up(const MicroBatch& packed) {
  const auto& offsets = packed.batch.offsets;
  std::int64_t width = 0;
  for (std::size_t s = 1; s < offsets.size(); ++s) {
    width = std::max(width, offsets[s] - offsets[s - 1]);
  }
  MicroBatch result = packed;
  result.batch.ids.clear();
  for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
    const auto begin = packed.batch.ids.begin();
    const auto place = static_cast<std::int64_t>(s) * width;
    result.batch.ids.insert(result.batch.ids.end(), begin + offsets[s], begin + offsets[s + 1]);
    result.batch.ids.resize(static_cast<std::size_t>(place + width), 0);
    result.batch.offsets[s + 1] = place + width;
    for (std::size_t i = 0; i < packed.label_positions.size(); ++i) {
      const std::int64_t position = packed.label_positions[i];
      if (position >= offsets[s] && position < offsets[s + 1]) {
        result.label_positions[i] = place + position - offsets[s];
      }
    }
  }
  return result;
}

}  // namespace

std::vector<MicroBatch> padded_batches(const train::PromptDataset& dataset) {
  const std::vector<std::int64_t> prompts = all_prompts(dataset);
  std::vector<MicroBatch> all;
  for (std::int64_t begin = 0; begin < dataset.size(); begin += kPrompts) {
    const auto first = prompts.begin() + begin;
    const auto last = prompts.begin() + std::min(dataset.size(), begin + kPrompts);
    all.push_back(filled_up(train::make_micro_batch(dataset, prompts, {first, last})));
  }
  return all;
}

}  // namespace rallrec::pipeline
