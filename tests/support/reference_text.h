#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "models/llm/causal_lm.h"

namespace rallrec::testing {

// What the text stages compute, by one plain forward pass per sequence and in double where sums are
// taken: no packing, no cache.

inline at::Tensor hidden_of(models::llm::CausalLm& model, const std::vector<std::int64_t>& ids) {
  return model.hidden_states({ids, {0, static_cast<std::int64_t>(ids.size())}}, nullptr);
}

inline std::vector<double> mean_hidden(models::llm::CausalLm& model,
                                       const std::vector<std::int64_t>& ids) {
  const at::Tensor hidden = hidden_of(model, ids).contiguous();
  const float* values = hidden.data_ptr<float>();
  const auto width = static_cast<std::size_t>(hidden.size(1));
  std::vector<double> mean(width);
  for (std::size_t i = 0; i < ids.size() * width; ++i) {
    mean[i % width] += double{values[i]} / static_cast<double>(ids.size());
  }
  return mean;
}

// The largest logit below `vocabulary`, token after token, until one of `stops`.
inline std::vector<std::int64_t> greedy_ids(models::llm::CausalLm& model,
                                            std::vector<std::int64_t> ids, int most,
                                            std::int64_t vocabulary,
                                            const std::vector<std::int64_t>& stops) {
  std::vector<std::int64_t> answer;
  for (int i = 0; i < most; ++i) {
    const at::Tensor hidden = hidden_of(model, ids);
    const at::Tensor logits = model.logits(hidden.narrow(0, hidden.size(0) - 1, 1)).contiguous();
    const float* values = logits.data_ptr<float>();
    const std::int64_t next = std::max_element(values, values + vocabulary) - values;
    if (std::find(stops.begin(), stops.end(), next) != stops.end()) {
      break;
    }
    ids.push_back(next);
    answer.push_back(next);
  }
  return answer;
}

}  // namespace rallrec::testing
