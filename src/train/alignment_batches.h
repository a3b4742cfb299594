#pragma once

#include <cstdint>
#include <vector>

#include "config/options.h"
#include "core/device_array.h"
#include "distributed/place.h"
#include "models/alignment/projector.h"
#include "train/alignment_cut.h"

namespace rallrec::train {

// Items of a step, of `rows` in all.
std::int64_t items_per_step(std::int64_t rows, const config::AlignOptions& options);

// The items that each step of align trains on, on the place's device: all of them (eq. 5), or with
// align.batch_size as many as that of an order that is new in each epoch, a function of the seed;
// what is left over at the end of an epoch waits for another one.
class AlignmentBatches {
 public:
  // text [rows, input] and graph [rows, output] are host memory, equal on every rank, and are
  // copied. `options` must outlive this object.
  AlignmentBatches(const std::vector<float>& text, const std::vector<float>& graph,
                   const models::ProjectorShape& shape, const config::AlignOptions& options,
                   const distributed::Place& place);

  // Of a step's items into blocks, and those into ranks.
  const AlignmentCut& cut() const { return cut_; }
  distributed::Range own_blocks() const { return mine_; }
  std::int64_t first_row() const { return first_row_; }
  std::int64_t own_rows() const { return own_rows_; }

  // Prepares that many calls of next().
  void begin(std::int64_t steps);
  // Enqueues what makes text() and columns() those of the next step.
  void next();

  // The same addresses at every step.
  const float* text() const { return text_.data(); }        // [own rows, input]
  const float* columns() const { return columns_.data(); }  // [cut().rows, output], unit rows

 private:
  bool in_batches() const { return cut_.rows < rows_; }
  void append_step(std::vector<std::int64_t>& items);

  const config::AlignOptions& options_;
  models::ProjectorShape shape_;
  Queue queue_;
  std::int64_t rows_;
  AlignmentCut cut_;
  distributed::Range mine_;
  std::int64_t first_row_;
  std::int64_t own_rows_;
  DeviceArray<float> text_;
  DeviceArray<float> columns_;
  // In batches alone: all items, and those of the steps since begin().
  DeviceArray<float> all_text_;      // [rows, input]
  DeviceArray<float> all_columns_;   // [rows, output], unit rows
  DeviceArray<std::int64_t> items_;  // [steps, batch]
  std::vector<std::int64_t> order_;  // of the present epoch
  std::int64_t epoch_ = 0;
  std::int64_t taken_ = 0;  // of `order_`
  std::int64_t step_ = 0;   // since begin()
};

}  // namespace rallrec::train
