#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "config/options.h"
#include "models/alignment/projector.h"
#include "tests/support/random_floats.h"

namespace rallrec::testing {

// Items with a text vector of 20 values and a graph vector of 6.
struct AlignmentData {
  static constexpr std::int64_t kText = 20;
  static constexpr std::int64_t kGraph = 6;

  std::vector<float> text, graph;
};

inline AlignmentData unrelated_items(std::int64_t rows, std::uint64_t seed) {
  return {random_floats(rows * AlignmentData::kText, seed),
          random_floats(rows * AlignmentData::kGraph, seed + 1)};
}

// The graph vector is tanh(A t) for a matrix A.
inline AlignmentData related_items(std::int64_t rows, std::uint64_t seed) {
  AlignmentData data = unrelated_items(rows, seed);
  const auto a = random_floats(AlignmentData::kText * AlignmentData::kGraph, seed + 2);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t j = 0; j < AlignmentData::kGraph; ++j) {
      float sum = 0.0F;
      for (std::int64_t i = 0; i < AlignmentData::kText; ++i) {
        sum += data.text[row * AlignmentData::kText + i] * a[i * AlignmentData::kGraph + j];
      }
      data.graph[row * AlignmentData::kGraph + j] = std::tanh(sum);
    }
  }
  return data;
}

inline config::AlignOptions align_options(std::int64_t steps, double temperature) {
  config::AlignOptions options;
  options.hidden_size = 24;
  options.steps = steps;
  options.temperature = temperature;
  options.learning_rate = 0.01;
  return options;
}

inline models::ProjectorShape projector_shape(const config::AlignOptions& options) {
  return {AlignmentData::kText, options.hidden_size, AlignmentData::kGraph, options.activation};
}

}  // namespace rallrec::testing
