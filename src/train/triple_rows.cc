#include "train/triple_rows.h"

#include <numeric>

#include "kernels/held_rows.h"

namespace rallrec::train {
namespace {

// Three roles, one after the other in one array.
kernels::BprBatch batch_in(const std::int32_t* rows, std::int64_t count) {
  return {rows, rows + count, rows + 2 * count, count};
}

}  // namespace

TripleRows::TripleRows(models::LightGcn& model)
    : model_(model),
      place_of_(model.array<std::int32_t>()),
      row_places_(model.array<std::int32_t>()),
      numbers_(model.array<std::int32_t>()),
      rows_(model.array<float>()),
      squares_(model.array<float>()) {
  if (!alone()) {
    place_of_.assign(model.exchange().places());
  }
}

void TripleRows::start(const kernels::BprBatch& batch) {
  batch_ = batch;
  places_ = batch;
  if (alone()) {
    return;
  }
  const Queue& queue = model_.place().queue;
  row_places_.resize(static_cast<std::size_t>(3 * batch.count));
  std::int32_t* places = row_places_.data();
  for (const std::int32_t* nodes : {batch.users, batch.positives, batch.negatives}) {
    kernels::find_places(queue, place_of_.data(), nodes, batch.count, places);
    places += batch.count;
  }
  places_ = batch_in(row_places_.data(), batch.count);
}

TripleRows::Rows TripleRows::collect(const DeviceArray<float>& matrix) {
  if (alone()) {
    return {matrix.data(), batch_};
  }
  const auto count = static_cast<std::size_t>(3 * batch_.count);
  // A sum over ranks moves everything twice, a gather once.
  if (2 * count >= place_of_.size()) {
    model_.gather(matrix, rows_);
    return {rows_.data(), batch_};
  }
  const models::RowExchange& exchange = model_.exchange();
  rows_.resize(count * static_cast<std::size_t>(model_.width()));
  kernels::take_rows(model_.place().queue, matrix.data(), model_.width(), row_places_.data(),
                     3 * batch_.count, exchange.own_begin(), exchange.own_end(), rows_.data());
  complete(rows_);
  if (numbers_.size() < count) {
    std::vector<std::int32_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0);
    numbers_.assign(numbers);
  }
  return {rows_.data(), batch_in(numbers_.data(), batch_.count)};
}

void TripleRows::norms(const DeviceArray<float>& matrix, double* norms) {
  const models::RowExchange& exchange = model_.exchange();
  const Queue& queue = model_.place().queue;
  squares_.resize(static_cast<std::size_t>(3 * batch_.count));
  kernels::bpr_squares(queue, matrix.data(), model_.width(), places_, exchange.own_begin(),
                       exchange.own_end(), squares_.data());
  complete(squares_);
  kernels::bpr_norms(queue, squares_.data(), batch_.count, norms);
}

void TripleRows::complete(DeviceArray<float>& values) {
  if (!alone()) {
    model_.place()
        .device
        .all_reduce_async(values.data(), values.size(), distributed::DType::kInt32,
                          distributed::ReduceOp::kSum)
        .hold(model_.place().queue);
  }
}

}  // namespace rallrec::train
