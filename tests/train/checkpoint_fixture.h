#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "tests/train/fake_causal_lm.h"
#include "train/checkpoint.h"

namespace rallrec::train {

inline const RunIdentity kIdentity = {"config", "data", "model"};
inline const CheckpointOrigin kOrigin = {"base", 2, 3};

inline std::vector<float> random_values(std::int64_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<float>(rng.next_normal()));
  }
  return values;
}

inline models::llm::LoraAdapter random_adapter(std::uint64_t seed) {
  models::llm::LoraAdapter adapter(fake_config(), {}, seed);
  const auto values = random_values(adapter.flat().numel(), seed);
  std::copy(values.begin(), values.end(), adapter.flat().mutable_data_ptr<float>());
  return adapter;
}

inline TrainingState random_state(std::int64_t step) {
  const std::int64_t count = models::llm::LoraAdapter(fake_config(), {}, 0).flat().numel();
  TrainingState state;
  state.step = step;
  state.adam = Adam(random_values(count, 10 + step), random_values(count, 20 + step), step - 1);
  state.skipped_in_a_row = 1;
  state.epochs_without_improvement = 2;
  state.best = BestSoFar{0.1 + 0.2, step / 2, random_values(count, 30 + step)};
  state.losses = OutlierWatch({0.1 + 0.2, 1e-300, 3.0});
  state.grad_norms = OutlierWatch({1.0 / 3.0});
  return state;
}

}  // namespace rallrec::train
