#include "train/lazy_adam.h"

namespace rallrec::train {
namespace {

constexpr const char* kSetting = "baseline.embedding_size";

}  // namespace

LazyAdam::LazyAdam(std::int64_t rows, std::int64_t width, double learning_rate, double l2,
                   const Queue& queue)
    : width_(width),
      learning_rate_(learning_rate),
      l2_(static_cast<float>(l2)),
      queue_(queue),
      first_moment_(queue, kSetting),
      second_moment_(queue, kSetting),
      updates_(static_cast<std::size_t>(rows)),
      places_(queue, kSetting),
      of_places_(queue, kSetting) {
  first_moment_.assign_zeros(static_cast<std::size_t>(rows * width));
  second_moment_.assign_zeros(static_cast<std::size_t>(rows * width));
}

void LazyAdam::update(models::ctr::ShardedEmbedding::Gradients& gradients,
                      DeviceArray<float>& values) {
  std::vector<kernels::AdamRates> rates;
  rates.reserve(gradients.places.size());
  for (const std::int64_t place : gradients.places) {
    const auto update = static_cast<std::size_t>(++updates_[static_cast<std::size_t>(place)]);
    while (rates_.size() < update) {
      rates_.push_back(
          kernels::adam_rates(learning_rate_, static_cast<std::int64_t>(rates_.size()) + 1));
    }
    rates.push_back(rates_[update - 1]);
  }
  places_.assign(gradients.places);
  of_places_.assign(rates);
  kernels::adam_rows(queue_, {static_cast<std::int64_t>(rates.size()), width_, places_.data(),
                              of_places_.data(), l2_, gradients.sums.data(), values.data(),
                              first_moment_.data(), second_moment_.data()});
}

}  // namespace rallrec::train
