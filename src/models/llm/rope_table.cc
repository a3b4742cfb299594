#include "models/llm/rope_table.h"

#include <algorithm>
#include <cmath>

namespace rallrec::models::llm {
namespace {

constexpr double kTwoPi = 6.283185307179586476925286766559;
constexpr std::int64_t kSmallestTable = 512;

double scaled(double frequency, const RopeScaling& scaling) {
  if (scaling.factor == 1.0) {
    return frequency;
  }
  const auto context = static_cast<double>(scaling.original_max_position);
  const double turns = context * frequency / kTwoPi;  // of this pair over the original context
  const double smooth =
      (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor);
  const double kept = std::clamp(smooth, 0.0, 1.0);
  return kept * frequency + (1.0 - kept) * frequency / scaling.factor;
}

}  // namespace

RopeTable::RopeTable(const LlmConfig& config, const Queue& queue)
    : cosines_(queue, "the model"), sines_(queue, "the model") {
  for (std::int64_t c = 0; c < config.head_dim / 2; ++c) {
    const double exponent = 2.0 * static_cast<double>(c) / static_cast<double>(config.head_dim);
    const double frequency = std::pow(config.rope_theta, -exponent);
    frequencies_.push_back(static_cast<float>(scaled(frequency, config.rope_scaling)));
  }
}

void RopeTable::reserve(std::int64_t positions) {
  if (positions_ >= positions) {
    return;
  }
  positions_ = std::max(positions * 2, kSmallestTable);
  std::vector<float> cosines;
  std::vector<float> sines;
  for (std::int64_t p = 0; p < positions_; ++p) {
    for (const float frequency : frequencies_) {
      const float angle = static_cast<float>(p) * frequency;
      cosines.push_back(static_cast<float>(std::cos(static_cast<double>(angle))));
      sines.push_back(static_cast<float>(std::sin(static_cast<double>(angle))));
    }
  }
  cosines_.assign(cosines);
  sines_.assign(sines);
}

}  // namespace rallrec::models::llm
