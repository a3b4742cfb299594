#include "train/lazy_adam.h"

#include <algorithm>

#include "core/parallel_for.h"

namespace rallrec::train {
namespace {

constexpr std::int64_t kRowsPerThread = 64;

}  // namespace

LazyAdam::LazyAdam(std::int64_t rows, std::int64_t width, double learning_rate, double l2)
    : width_(width),
      learning_rate_(learning_rate),
      l2_(static_cast<float>(l2)),
      first_moment_(static_cast<std::size_t>(rows * width)),
      second_moment_(static_cast<std::size_t>(rows * width)),
      updates_(static_cast<std::size_t>(rows)) {}

void LazyAdam::update_row(std::int64_t place, float* gradient, float* values) {
  for (std::int64_t c = 0; c < width_; ++c) {
    gradient[c] += l2_ * values[c];
  }
  const auto update = static_cast<std::size_t>(updates_[static_cast<std::size_t>(place)]);
  kernels::adam_cpu(rates_[update - 1], width_, gradient, values,
                    first_moment_.data() + place * width_, second_moment_.data() + place * width_);
}

void LazyAdam::update(models::ctr::ShardedEmbedding::Gradients& gradients,
                      std::vector<float>& values) {
  std::int32_t most = 0;
  for (const std::int64_t place : gradients.places) {
    most = std::max(most, ++updates_[static_cast<std::size_t>(place)]);
  }
  while (rates_.size() < static_cast<std::size_t>(most)) {
    rates_.push_back(
        kernels::adam_rates(learning_rate_, static_cast<std::int64_t>(rates_.size()) + 1));
  }
  parallel_for(static_cast<std::int64_t>(gradients.places.size()), kRowsPerThread,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int64_t place = gradients.places[static_cast<std::size_t>(i)];
                   update_row(place, gradients.sums.data() + i * width_,
                              values.data() + place * width_);
                 }
               });
}

}  // namespace rallrec::train
