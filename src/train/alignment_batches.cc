#include "train/alignment_batches.h"

#include <algorithm>

#include "core/check.h"
#include "kernels/embedding_gather.h"
#include "kernels/unit_rows.h"
#include "train/epoch_order.h"

namespace rallrec::train {
namespace {

constexpr const char* kSetting = "align.batch_size or the number of items";

void gather(const Queue& queue, const DeviceArray<float>& table, std::int64_t columns,
            const std::int64_t* ids, std::int64_t count, DeviceArray<float>& result) {
  result.resize(static_cast<std::size_t>(count * columns));
  kernels::embedding_gather(queue, kernels::TableType::kFloat32, table.data(),
                            static_cast<std::int64_t>(table.size()) / columns, columns, ids, count,
                            result.data());
}

}  // namespace

std::int64_t items_per_step(std::int64_t rows, const config::AlignOptions& options) {
  return options.batch_size > 0 ? std::min(options.batch_size, rows) : rows;
}

AlignmentBatches::AlignmentBatches(const std::vector<float>& text, const std::vector<float>& graph,
                                   const models::ProjectorShape& shape,
                                   const config::AlignOptions& options,
                                   const distributed::Place& place)
    : options_(options),
      shape_(shape),
      queue_(place.queue),
      rows_(static_cast<std::int64_t>(text.size()) / shape.input),
      cut_(items_per_step(rows_, options)),
      mine_(cut_.parts(place.device.size())[static_cast<std::size_t>(place.device.rank())]),
      first_row_(cut_.row(mine_.begin)),
      own_rows_(cut_.row(mine_.end) - first_row_),
      text_(queue_, kSetting),
      columns_(queue_, kSetting),
      all_text_(queue_, kSetting),
      all_columns_(queue_, kSetting),
      items_(queue_, kSetting) {
  RALLREC_CHECK(static_cast<std::int64_t>(graph.size()) == rows_ * shape.output,
                "AlignmentBatches: text and graph rows differ");
  DeviceArray<float>& columns = in_batches() ? all_columns_ : columns_;
  columns.assign(graph);
  kernels::unit_rows(queue_, rows_, shape.output, columns.data(), columns.data(), nullptr);
  if (in_batches()) {
    all_text_.assign(text);
    text_.resize(static_cast<std::size_t>(own_rows_ * shape.input));
    columns_.resize(static_cast<std::size_t>(cut_.rows * shape.output));
  } else {
    text_.assign(text.data() + first_row_ * shape.input,
                 static_cast<std::size_t>(own_rows_ * shape.input));
  }
}

void AlignmentBatches::append_step(std::vector<std::int64_t>& items) {
  if (taken_ + cut_.rows > static_cast<std::int64_t>(order_.size())) {
    order_ = epoch_order<std::int64_t>(static_cast<std::size_t>(rows_),
                                       static_cast<std::uint64_t>(options_.seed), ++epoch_);
    taken_ = 0;
  }
  items.insert(items.end(), order_.begin() + taken_, order_.begin() + taken_ + cut_.rows);
  taken_ += cut_.rows;
}

void AlignmentBatches::begin(std::int64_t steps) {
  step_ = 0;
  if (!in_batches()) {
    return;
  }
  std::vector<std::int64_t> items;
  for (std::int64_t step = 0; step < steps; ++step) {
    append_step(items);
  }
  items_.assign(items);
}

void AlignmentBatches::next() {
  if (in_batches()) {
    const std::int64_t* items = items_.data() + step_ * cut_.rows;
    gather(queue_, all_text_, shape_.input, items + first_row_, own_rows_, text_);
    gather(queue_, all_columns_, shape_.output, items, cut_.rows, columns_);
  }
  ++step_;
}

}  // namespace rallrec::train
