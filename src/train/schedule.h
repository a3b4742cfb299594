#pragma once

#include <cstdint>
#include <vector>

#include "config/options.h"

namespace rallrec::train {

// Which prompts each optimizer step trains on and with what learning rate: pure functions of the
// options and the number of prompts, so that a run resumes anywhere and on any number of ranks.
//
// An epoch visits every prompt exactly once, in the order permuted_index(seed, epoch, ·), in
// ceil(prompts / batch_size) steps whose sizes differ by at most one prompt. Where batch_size
// divides the prompts this is the paper's prompts // batch_size; elsewhere no prompt is left out
// and no step is much smaller than the others.
class Schedule {
 public:
  // `prompts` must be positive.
  Schedule(const config::TuneOptions& options, std::int64_t prompts);

  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  // max_steps where positive, else epochs × steps_per_epoch.
  std::int64_t total_steps() const { return total_steps_; }
  std::int64_t warmup_steps() const { return warmup_steps_; }
  // Steps count from 0.
  std::int64_t epoch_of(std::int64_t step) const { return step / steps_per_epoch_; }
  bool ends_epoch(std::int64_t step) const { return (step + 1) % steps_per_epoch_ == 0; }
  std::vector<std::int64_t> prompts_of(std::int64_t step) const;
  // Linear warm-up from 0 over warmup_steps, then linear decay that reaches 0 after the last step:
  // with w = warmup_steps and T = total_steps, base · s / w for s < w, else base · (T − s) / (T −
  // w).
  double learning_rate(std::int64_t step) const;

 private:
  std::uint64_t seed_;
  std::int64_t prompts_;
  std::int64_t steps_per_epoch_;
  std::int64_t total_steps_;
  std::int64_t warmup_steps_;
  double base_rate_;
};

}  // namespace rallrec::train
