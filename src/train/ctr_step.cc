#include "train/ctr_step.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/parallel_for.h"
#include "core/rng.h"
#include "distributed/flight_marks.h"
#include "kernels/adam.h"
#include "kernels/binary_cross_entropy.h"
#include "kernels/columns.h"
#include "kernels/embedding_bag.h"
#include "kernels/embedding_gather.h"

namespace rallrec::train {
namespace {

using models::ctr::CtrBlock;
using models::ctr::CtrShape;

// Separates the tables' initial values from other uses of the seed.
constexpr std::uint64_t kTableStream = std::uint64_t{0x7461626c65} << 24;
// Standard deviation of an embedding's initial elements. A row that no sample trains stays at 0.
constexpr double kInitialDeviation = 0.01;

// What of the config makes memory smaller.
constexpr const char* kBlockSetting = "baseline.block_size";
constexpr const char* kBatchSetting = "baseline.batch_size";
constexpr const char* kModelSetting = "baseline.embedding_size or baseline.mlp_sizes";

CtrShape shape_of(const data::CtrFeatures& features, const config::BaselineOptions& options) {
  return {static_cast<std::int64_t>(features.fields.size()), options.embedding_size};
}

// Samples of a block are computed by one thread; a GPU takes the blocks one after the other.
int workers_on(const Queue& queue) { return queue.device == Device::kCuda ? 1 : thread_count(); }

}  // namespace

CtrStep::Worker::Worker(std::unique_ptr<models::ctr::CtrModel> of, const Queue& queue)
    : model(std::move(of)),
      block(queue),
      rows(queue, kBlockSetting),
      x(queue, kBlockSetting),
      first_order(queue, kBlockSetting),
      logits(queue, kBlockSetting),
      dlogits(queue, kBlockSetting),
      dx(queue, kBlockSetting) {}

CtrStep::CtrStep(const std::string& model, const data::CtrFeatures& features,
                 const config::BaselineOptions& options, const distributed::Place& place)
    : features_(features),
      options_(options),
      place_(place),
      has_first_order_(models::ctr::make_ctr_model(model, shape_of(features, options), options)
                           ->has_first_order()),
      dim_(options.embedding_size),
      table_(features.rows, dim_ + (has_first_order_ ? 1 : 0), place),
      table_adam_(static_cast<std::int64_t>(table_.values().size()) / table_.width(),
                  table_.width(), options.learning_rate, options.l2, place.queue),
      batch_(features, table_, options.block_size, place, thread_count()),
      dense_(place.queue, kModelSetting),
      first_moment_(place.queue, kModelSetting),
      second_moment_(place.queue, kModelSetting),
      drows_(place.queue, kBatchSetting),
      gradient_(place.queue, kModelSetting),
      losses_(place.queue, kBatchSetting),
      kept_dense_(place.queue, kModelSetting),
      kept_table_(place.queue, kModelSetting),
      own_rows_(place.queue) {
  for (int worker = 0; worker < workers_on(place.queue); ++worker) {
    workers_.emplace_back(
        models::ctr::make_ctr_model(model, shape_of(features, options), options, place.queue),
        place.queue);
  }
  std::vector<float> values(static_cast<std::size_t>(workers_.front().model->parameter_count()));
  workers_.front().model->initialise(static_cast<std::uint64_t>(options.seed), values.data());
  dense_.assign(values);
  first_moment_.assign_zeros(values.size());
  second_moment_.assign_zeros(values.size());
  gradient_.resize(values.size());
  initialise_table();
}

void CtrStep::initialise_table() {
  std::vector<bool> untrained(static_cast<std::size_t>(features_.rows));
  for (const data::FeatureField& field : features_.fields) {
    untrained[static_cast<std::size_t>(field.first_row)] = data::is_token(field.kind);
  }
  table_.fill([&](std::int64_t row, float* values) {
    if (untrained[static_cast<std::size_t>(row)]) {
      return;
    }
    Rng rng(static_cast<std::uint64_t>(options_.seed),
            kTableStream + static_cast<std::uint64_t>(row));
    for (std::int64_t k = 0; k < dim_; ++k) {
      values[k] = static_cast<float>(kInitialDeviation * rng.next_normal());
    }
  });
}

CtrBlock CtrStep::forward(Worker& worker, std::int64_t index, std::int64_t epoch, bool training) {
  const data::FeatureBlock& block = batch_.block(index);
  const std::int64_t samples = block.size();
  const std::int64_t fields = static_cast<std::int64_t>(features_.fields.size());
  const std::int64_t width = table_.width();
  worker.block.assign(block, batch_.places(index));
  worker.rows.resize(block.rows.size() * static_cast<std::size_t>(width));
  kernels::embedding_gather(place_.queue, kernels::TableType::kFloat32, batch_.values().data(),
                            static_cast<std::int64_t>(batch_.values().size()) / width, width,
                            worker.block.places(), static_cast<std::int64_t>(block.rows.size()),
                            worker.rows.data());
  worker.x.resize(static_cast<std::size_t>(samples * fields * dim_));
  kernels::embedding_bag(place_.queue, {samples * fields, dim_, width, 0}, worker.block.fields(),
                         worker.rows.data(), worker.x.data());
  const CtrBlock input{samples, worker.x.data(), worker.block.samples(),
                       static_cast<std::uint64_t>(epoch), training};
  worker.logits.resize(static_cast<std::size_t>(samples));
  worker.model->forward(dense_.data(), input, worker.logits.data());
  if (has_first_order_) {
    worker.first_order.resize(static_cast<std::size_t>(samples));
    kernels::embedding_bag(place_.queue, {samples, 1, width, 0}, worker.block.whole_samples(),
                           worker.rows.data() + dim_, worker.first_order.data());
    kernels::add_columns(place_.queue, kernels::vector_shape(samples), 1.0F,
                         worker.first_order.data(), worker.logits.data());
  }
  return input;
}

void CtrStep::backward(Worker& worker, const CtrBlock& block, std::int64_t index) {
  float* drows = drows_.data() + first_drow_[static_cast<std::size_t>(index)];
  worker.dx.resize(worker.x.size());
  worker.model->backward(dense_.data(), block, worker.dlogits.data(),
                         tree_->leaf(static_cast<std::size_t>(index)), worker.dx.data());
  worker.block.add_row_gradients(false, dim_, table_.width(), worker.dx.data(), drows);
  if (has_first_order_) {
    worker.block.add_row_gradients(true, 1, table_.width(), worker.dlogits.data(), drows + dim_);
  }
}

void CtrStep::train_block(Worker& worker, std::int64_t index, std::int64_t epoch,
                          std::int64_t first_loss) {
  const CtrBlock block = forward(worker, index, epoch, true);
  worker.dlogits.resize(worker.logits.size());
  kernels::binary_cross_entropy(place_.queue, block.rows, worker.logits.data(),
                                worker.block.labels(), static_cast<double>(batch_.size()),
                                worker.dlogits.data(), losses_.data() + first_loss + index);
  backward(worker, block, index);
}

void CtrStep::begin(std::int64_t blocks) { losses_.assign_zeros(static_cast<std::size_t>(blocks)); }

void CtrStep::train(const data::CtrSamples& split, const std::int64_t* samples, std::int64_t count,
                    std::int64_t epoch, std::int64_t first_loss) {
  batch_.load(split, samples, count);
  make_room_for_gradients();
  const std::int64_t first = first_loss + static_cast<std::int64_t>(batch_.own().begin);
  batch_.for_blocks(static_cast<int>(workers_.size()), [&](int worker, std::int64_t index) {
    train_block(workers_[static_cast<std::size_t>(worker)], index, epoch, first);
  });
  distributed::mark_phase(distributed::Phase::kReduce);
  update_dense();
  update_table();
}

void CtrStep::make_room_for_gradients() {
  const auto blocks = static_cast<std::size_t>(batch_.blocks());
  auto found = trees_.find(batch_.blocks());
  if (found == trees_.end()) {
    std::vector<distributed::Range> parts;
    for (int rank = 0; rank < place_.host.size(); ++rank) {
      parts.push_back(distributed::split_evenly(blocks, place_.host.size(), rank));
    }
    found = trees_.try_emplace(batch_.blocks(), blocks, parts, dense_.size(), place_).first;
  }
  tree_ = &found->second;
  std::size_t floats = 0;
  first_drow_.clear();
  for (std::size_t index = 0; index < batch_.own().size(); ++index) {
    first_drow_.push_back(floats);
    floats += batch_.block(static_cast<std::int64_t>(index)).rows.size() *
              static_cast<std::size_t>(table_.width());
  }
  drows_.assign_zeros(floats);
}

void CtrStep::update_dense() {
  copy_on_device(place_.queue, gradient_.data(), tree_->sum(), dense_.size() * sizeof(float));
  kernels::add_columns(place_.queue, kernels::vector_shape(parameter_count()),
                       static_cast<float>(options_.l2), dense_.data(), gradient_.data());
  kernels::adam(place_.queue, kernels::adam_rates(options_.learning_rate, ++updates_),
                parameter_count(), gradient_.data(), dense_.data(), first_moment_.data(),
                second_moment_.data());
}

// The lists of the blocks, one behind the other, are consecutive parts of one list over all ranks.
void CtrStep::update_table() {
  std::vector<std::int32_t> rows;
  for (std::size_t index = 0; index < batch_.own().size(); ++index) {
    const data::FeatureBlock& block = batch_.block(static_cast<std::int64_t>(index));
    rows.insert(rows.end(), block.rows.begin(), block.rows.end());
  }
  table_.reduce(rows, drows_.data(), own_rows_);
  table_adam_.update(own_rows_, table_.values());
}

std::vector<double> CtrStep::score(const data::CtrSamples& split) {
  std::vector<std::int64_t> samples(static_cast<std::size_t>(split.size()));
  std::iota(samples.begin(), samples.end(), std::int64_t{0});
  std::vector<double> scores(samples.size());
  for (std::int64_t first = 0; first < split.size(); first += options_.batch_size) {
    batch_.load(split, samples.data() + first, std::min(options_.batch_size, split.size() - first));
    const auto workers = static_cast<int>(workers_.size());
    batch_.for_blocks(workers, [&](int number, std::int64_t index) {
      Worker& worker = workers_[static_cast<std::size_t>(number)];
      forward(worker, index, 0, false);
      worker.logits.copy_to(worker.host_logits);
      double* to = scores.data() + first + batch_.first_sample(index);
      std::transform(worker.host_logits.begin(), worker.host_logits.end(), to,
                     [](float logit) { return kernels::probability_of_logit(logit); });
    });
  }
  // What another rank computes is 0 here, and adding that changes no bit.
  place_.host.all_reduce(scores.data(), scores.size(), distributed::DType::kFloat64);
  return scores;
}

void CtrStep::keep() {
  kept_dense_.assign_device(dense_.data(), dense_.size());
  kept_table_.assign_device(table_.values().data(), table_.values().size());
}

void CtrStep::restore() {
  dense_.assign_device(kept_dense_.data(), kept_dense_.size());
  table_.values().assign_device(kept_table_.data(), kept_table_.size());
}

}  // namespace rallrec::train
