#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// AdamW (Loshchilov & Hutter 2019) without weight decay, β = (0.9, 0.999), ε = 1e-8, on one flat
// fp32 vector: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − η (m / (1 − β₁ᵗ)) / (√(v / (1 −
// β₂ᵗ)) + ε).

constexpr double kAdamBeta1 = 0.9;
constexpr double kAdamBeta2 = 0.999;
constexpr double kAdamEpsilon = 1e-8;

// What of an update depends on its number t >= 1 and on η alone.
struct AdamRates {
  float step_size = 0.0F;        // η / (1 − β₁ᵗ)
  float root_correction = 1.0F;  // √(1 − β₂ᵗ)
};
AdamRates adam_rates(double learning_rate, std::int64_t step);

// One update in place of `count` parameters and of both moments, all fp32 [count]; `gradient` is
// only read and overlaps none of them. Element by element, so bits do not depend on threads. On a
// CUDA queue all pointers are device memory and the call only enqueues.
void adam(const Queue& queue, const AdamRates& rates, std::int64_t count, const float* gradient,
          float* parameters, float* first_moment, float* second_moment);

// The same with rates that lie in the queue's memory when the work runs: a repeated piece of work
// (core/replay.h) has other rates each time.
void adam_by_stored_rates(const Queue& queue, const AdamRates* rates, std::int64_t count,
                          const float* gradient, float* parameters, float* first_moment,
                          float* second_moment);

void adam_cpu(const AdamRates& rates, std::int64_t count, const float* gradient, float* parameters,
              float* first_moment, float* second_moment);

// Rows of a table [any, width] that are updated, each at most once.
struct AdamRows {
  std::int64_t count = 0;
  std::int64_t width = 0;
  const std::int64_t* places = nullptr;  // [count] in the table
  const AdamRates* rates = nullptr;      // [count]: a row counts its own updates
  float l2 = 0.0F;
  float* gradients = nullptr;  // [count, width]; used up
  float* values = nullptr;     // the table
  float* first_moment = nullptr;
  float* second_moment = nullptr;
};

// adam on row places[i] of the table and of both moments, by rates[i], with the gradient
// gradients[i] + l2 · row. Places are trusted. Otherwise as adam.
void adam_rows(const Queue& queue, const AdamRows& rows);

inline Work adam_rows_work(std::int64_t count, std::int64_t width) {
  return {count * (28 * width + 16), 16 * count * width};
}

inline Work adam_work(std::int64_t count) { return {28 * count, 14 * count}; }

}  // namespace rallrec::kernels
