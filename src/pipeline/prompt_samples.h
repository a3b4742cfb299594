#pragma once

#include <cstdint>
#include <vector>

#include "config/options.h"
#include "data/dataset.h"

namespace rallrec::pipeline {

// The samples that prompts are made of, as indices into Dataset::samples. The stages retrieve and
// prompt both call this, so they agree on it.
struct PromptSamples {
  // Drawn without replacement from the training split, in the order drawn.
  std::vector<std::int32_t> train;
  // Drawn from the valid split, in the order of the samples.
  std::vector<std::int32_t> valid;
  // The head of the test split (or valid: test_split) or drawn from all of it (test_draw), in the
  // order of the samples.
  std::vector<std::int32_t> test;

  // Every sample above once, ascending.
  std::vector<std::int32_t> all() const;
};

// A pure function of the samples and of options.{train_samples, valid_samples, test_samples,
// test_split, test_draw, seed}; a count of 0, or above what the split holds, takes the whole split.
// A larger count keeps what a smaller one has drawn.
PromptSamples prompt_samples(const data::SampleTable& samples,
                             const config::PromptOptions& options);

}  // namespace rallrec::pipeline
