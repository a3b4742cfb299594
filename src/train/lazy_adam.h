#pragma once

#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "kernels/adam.h"
#include "models/ctr/sharded_embedding.h"

namespace rallrec::train {

// Adam (kernels/adam.h) on the rows of an embedding table that a batch uses; the others keep their
// values and moments. A row counts its own updates, and that number corrects the bias of its
// moments, which are the averages of those updates alone: with the number of the step, the first
// update of a row that is met late would be up to three times the learning rate. L2 is added to the
// gradient of a row that is updated, l2 · values.
class LazyAdam {
 public:
  // Moments are on the queue's device, and so are gradients and values.
  LazyAdam(std::int64_t rows, std::int64_t width, double learning_rate, double l2,
           const Queue& queue);

  // One update of the named rows of values [rows, width], which uses the sums up. Row by row: bits
  // do not depend on threads. Enqueues only.
  void update(models::ctr::ShardedEmbedding::Gradients& gradients, DeviceArray<float>& values);

 private:
  std::int64_t width_;
  double learning_rate_;
  float l2_;
  Queue queue_;
  DeviceArray<float> first_moment_;   // [rows, width]
  DeviceArray<float> second_moment_;  // [rows, width]
  std::vector<std::int32_t> updates_;
  std::vector<kernels::AdamRates> rates_;  // of a row's update 1, 2, …
  DeviceArray<std::int64_t> places_;       // of one update
  DeviceArray<kernels::AdamRates> of_places_;
};

}  // namespace rallrec::train
