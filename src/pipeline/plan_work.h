#pragma once

#include <cstdint>
#include <vector>

#include "pipeline/plan.h"

namespace rallrec::pipeline {

// What one rank has to do in a step.
struct RankWork {
  std::vector<std::int64_t> micro_batches;  // tokens of those that are not empty
  std::int64_t leaves = 0;                  // micro-batches, empty ones included
  std::int64_t tokens = 0;
  std::int64_t longest = 0;             // tokens of its largest micro-batch
  std::int64_t waves = 0;               // of its own
  std::int64_t wave_micro_batches = 0;  // most in one wave
  std::int64_t kept_bytes = 0;  // of activations in its largest wave, the adapter's included
  std::int64_t recomputed = 0;
};

// The step as the trainer packs it and the model cuts it into waves, one entry per rank.
std::vector<RankWork> share_out(const PlanRequest& request);

// Parameters of the adapter that the options describe.
std::int64_t lora_parameters(const PlanRequest& request);

}  // namespace rallrec::pipeline
