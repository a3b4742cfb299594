#pragma once

#include <cstdint>
#include <vector>

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
  LazyAdam(std::int64_t rows, std::int64_t width, double learning_rate, double l2);

  // One update of the named rows of values [rows, width]. Row by row: bits do not depend on
  // threads.
  void update(models::ctr::ShardedEmbedding::Gradients& gradients, std::vector<float>& values);

 private:
  void update_row(std::int64_t place, float* gradient, float* values);

  std::int64_t width_;
  double learning_rate_;
  float l2_;
  std::vector<float> first_moment_;   // [rows, width]
  std::vector<float> second_moment_;  // [rows, width]
  std::vector<std::int32_t> updates_;
  std::vector<kernels::AdamRates> rates_;  // of a row's update 1, 2, …
};

}  // namespace rallrec::train
