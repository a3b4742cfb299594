#include "train/schedule.h"

#include <algorithm>

#include "core/check.h"
#include "core/error.h"
#include "core/rng.h"
#include "distributed/partition.h"

namespace rallrec::train {
namespace {

void require(bool condition, const char* key, const char* expected) {
  if (!condition) {
    throw_usage(std::string("tune.") + key + ": must be " + expected);
  }
}

}  // namespace

Schedule::Schedule(const config::TuneOptions& options, std::int64_t prompts)
    : seed_(static_cast<std::uint64_t>(options.seed)),
      prompts_(prompts),
      warmup_steps_(options.warmup_steps),
      base_rate_(options.learning_rate) {
  RALLREC_CHECK(prompts > 0, "a schedule needs at least one prompt");
  require(options.batch_size > 0, "batch_size", "positive");
  require(options.max_steps >= 0, "max_steps", "0 (epochs decide) or positive");
  require(options.max_steps > 0 || options.epochs > 0, "epochs", "positive where max_steps is 0");
  require(options.warmup_steps >= 0, "warmup_steps", "0 or positive");
  steps_per_epoch_ = (prompts + options.batch_size - 1) / options.batch_size;
  total_steps_ = options.max_steps > 0 ? options.max_steps : options.epochs * steps_per_epoch_;
}

std::vector<std::int64_t> Schedule::prompts_of(std::int64_t step) const {
  const auto part = static_cast<int>(step % steps_per_epoch_);
  const distributed::Range range = distributed::split_evenly(
      static_cast<std::size_t>(prompts_), static_cast<int>(steps_per_epoch_), part);
  std::vector<std::int64_t> prompts;
  prompts.reserve(range.size());
  for (std::size_t i = range.begin; i < range.end; ++i) {
    const std::uint64_t image = permuted_index(seed_, static_cast<std::uint64_t>(epoch_of(step)), i,
                                               static_cast<std::uint64_t>(prompts_));
    prompts.push_back(static_cast<std::int64_t>(image));
  }
  return prompts;
}

double Schedule::learning_rate(std::int64_t step) const {
  if (step < warmup_steps_) {
    return base_rate_ * static_cast<double>(step) / static_cast<double>(warmup_steps_);
  }
  const std::int64_t decay_steps = std::max<std::int64_t>(1, total_steps_ - warmup_steps_);
  const std::int64_t left = std::max<std::int64_t>(0, total_steps_ - step);
  return base_rate_ * static_cast<double>(left) / static_cast<double>(decay_steps);
}

}  // namespace rallrec::train
