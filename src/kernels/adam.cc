#include "kernels/adam.h"

#include <cmath>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/adam_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kRowsPerThread = 64;

bool has_work(const detail::AdamArguments& a) {
  RALLREC_CHECK(a.count >= 0, "adam: negative size");
  RALLREC_CHECK(a.count == 0 || (a.gradient != nullptr && a.parameters != nullptr &&
                                 a.first_moment != nullptr && a.second_moment != nullptr),
                "adam: null input or result");
  return a.count > 0;
}

void adam_row(const AdamRows& rows, std::int64_t i) {
  const std::int64_t first = rows.places[i] * rows.width;
  float* gradient = rows.gradients + i * rows.width;
  const float* values = rows.values + first;
  for (std::int64_t c = 0; c < rows.width; ++c) {
    gradient[c] += rows.l2 * values[c];
  }
  adam_cpu(rows.rates[i], rows.width, gradient, rows.values + first, rows.first_moment + first,
           rows.second_moment + first);
}

}  // namespace

AdamRates adam_rates(double learning_rate, std::int64_t step) {
  RALLREC_CHECK(step >= 1, "adam_rates: updates count from 1");
  const double correction1 = 1.0 - std::pow(kAdamBeta1, static_cast<double>(step));
  const double correction2 = 1.0 - std::pow(kAdamBeta2, static_cast<double>(step));
  return {static_cast<float>(learning_rate / correction1),
          static_cast<float>(std::sqrt(correction2))};
}

void adam(const Queue& queue, const AdamRates& rates, std::int64_t count, const float* gradient,
          float* parameters, float* first_moment, float* second_moment) {
  const detail::AdamArguments arguments{count, gradient, parameters, first_moment, second_moment};
  if (!has_work(arguments)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::adam_gpu(queue, rates, nullptr, arguments);
  } else {
    adam_cpu(rates, count, gradient, parameters, first_moment, second_moment);
  }
}

void adam_by_stored_rates(const Queue& queue, const AdamRates* rates, std::int64_t count,
                          const float* gradient, float* parameters, float* first_moment,
                          float* second_moment) {
  const detail::AdamArguments arguments{count, gradient, parameters, first_moment, second_moment};
  RALLREC_CHECK(rates != nullptr, "adam_by_stored_rates: null input");
  if (!has_work(arguments)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::adam_gpu(queue, {}, rates, arguments);
  } else {
    adam_cpu(*rates, count, gradient, parameters, first_moment, second_moment);
  }
}

void adam_rows(const Queue& queue, const AdamRows& rows) {
  RALLREC_CHECK(rows.count >= 0 && rows.width >= 0, "adam_rows: negative size");
  if (rows.count == 0 || rows.width == 0) {
    return;
  }
  RALLREC_CHECK(rows.places != nullptr && rows.rates != nullptr && rows.gradients != nullptr &&
                    rows.values != nullptr && rows.first_moment != nullptr &&
                    rows.second_moment != nullptr,
                "adam_rows: null input or result");
  if (queue.device == Device::kCuda) {
    detail::adam_rows_gpu(queue, rows);
    return;
  }
  parallel_for(rows.count, kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      adam_row(rows, i);
    }
  });
}

}  // namespace rallrec::kernels
