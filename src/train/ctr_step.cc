#include "train/ctr_step.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/parallel_for.h"
#include "core/rng.h"
#include "distributed/flight_marks.h"
#include "distributed/tree_reduction.h"
#include "kernels/adam.h"
#include "kernels/embedding_bag.h"

namespace rallrec::train {
namespace {

using models::ctr::CtrBlock;
using models::ctr::CtrShape;

// Separates the tables' initial values from other uses of the seed.
constexpr std::uint64_t kTableStream = std::uint64_t{0x7461626c65} << 24;
// Standard deviation of an embedding's initial elements. A row that no sample trains stays at 0.
constexpr double kInitialDeviation = 0.01;

CtrShape shape_of(const data::CtrFeatures& features, const config::BaselineOptions& options) {
  return {static_cast<std::int64_t>(features.fields.size()), options.embedding_size};
}

double probability_of(double logit) {
  return logit >= 0.0 ? 1.0 / (1.0 + std::exp(-logit)) : std::exp(logit) / (1.0 + std::exp(logit));
}

// -log of the probability of the label: log(1 + e^∓logit) without overflow.
double cross_entropy(double logit, std::uint8_t label) {
  const double margin = label != 0 ? logit : -logit;
  return std::max(-margin, 0.0) + std::log1p(std::exp(-std::fabs(margin)));
}

kernels::Bags bags_of(const data::FeatureBlock& block, const std::vector<std::int64_t>& offsets) {
  return {offsets.data(), block.ids.data(), block.weights.data()};
}

}  // namespace

CtrStep::CtrStep(const std::string& model, const data::CtrFeatures& features,
                 const config::BaselineOptions& options, distributed::Communicator& communicator)
    : features_(features),
      options_(options),
      communicator_(communicator),
      workers_(static_cast<std::size_t>(thread_count())),
      has_first_order_(models::ctr::make_ctr_model(model, shape_of(features, options), options)
                           ->has_first_order()),
      dim_(options.embedding_size),
      table_(features.rows, dim_ + (has_first_order_ ? 1 : 0), communicator),
      table_adam_(static_cast<std::int64_t>(table_.values().size()) / table_.width(),
                  table_.width(), options.learning_rate, options.l2),
      batch_(features, table_, options.block_size, communicator, thread_count()) {
  for (Worker& worker : workers_) {
    worker.model = models::ctr::make_ctr_model(model, shape_of(features, options), options);
  }
  const auto count = static_cast<std::size_t>(workers_.front().model->parameter_count());
  dense_.resize(count);
  first_moment_.resize(count);
  second_moment_.resize(count);
  gradient_.resize(count);
  workers_.front().model->initialise(static_cast<std::uint64_t>(options.seed), dense_.data());
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
  batch_.copy_rows(index, worker.rows);
  worker.x.resize(static_cast<std::size_t>(samples * fields * dim_));
  worker.logits.resize(static_cast<std::size_t>(samples));
  kernels::embedding_bag({}, {samples * fields, dim_, table_.width()},
                         bags_of(block, block.offsets), worker.rows.data(), worker.x.data());
  const CtrBlock input{samples, worker.x.data(), block.samples.data(),
                       static_cast<std::uint64_t>(epoch), training};
  worker.model->forward(dense_.data(), input, worker.logits.data());
  if (has_first_order_) {
    worker.first_order.resize(static_cast<std::size_t>(samples));
    kernels::embedding_bag({}, {samples, 1, table_.width()}, bags_of(block, block.sample_offsets),
                           worker.rows.data() + dim_, worker.first_order.data());
    for (std::size_t s = 0; s < worker.logits.size(); ++s) {
      worker.logits[s] += worker.first_order[s];
    }
  }
  return input;
}

void CtrStep::backward(Worker& worker, const CtrBlock& block, std::int64_t index) {
  const data::FeatureBlock& features = batch_.block(index);
  std::vector<float>& leaf = leaves_[static_cast<std::size_t>(index)];
  std::vector<float>& drows = drows_[static_cast<std::size_t>(index)];
  leaf.resize(dense_.size());
  worker.dx.resize(worker.x.size());
  worker.model->backward(dense_.data(), block, worker.dlogits.data(), leaf.data(),
                         worker.dx.data());
  drows.assign(worker.rows.size(), 0.0F);
  const std::int64_t fields = static_cast<std::int64_t>(features_.fields.size());
  kernels::embedding_bag_backward({}, {block.rows * fields, dim_, table_.width()},
                                  bags_of(features, features.offsets), worker.dx.data(),
                                  drows.data());
  if (has_first_order_) {
    kernels::embedding_bag_backward({}, {block.rows, 1, table_.width()},
                                    bags_of(features, features.sample_offsets),
                                    worker.dlogits.data(), drows.data() + dim_);
  }
}

double CtrStep::train_block(Worker& worker, std::int64_t index, std::int64_t epoch) {
  const CtrBlock block = forward(worker, index, epoch, true);
  const std::vector<std::uint8_t>& labels = batch_.block(index).labels;
  const auto batch = static_cast<double>(batch_.size());
  worker.dlogits.resize(worker.logits.size());
  double loss = 0.0;
  for (std::size_t s = 0; s < labels.size(); ++s) {
    loss += cross_entropy(worker.logits[s], labels[s]);
    worker.dlogits[s] = static_cast<float>((probability_of(worker.logits[s]) - labels[s]) / batch);
  }
  backward(worker, block, index);
  return loss;
}

void CtrStep::train(const data::CtrSamples& split, const std::int64_t* samples, std::int64_t count,
                    std::int64_t epoch, double* losses) {
  batch_.load(split, samples, count);
  if (leaves_.size() < batch_.own().size()) {
    leaves_.resize(batch_.own().size());
    drows_.resize(batch_.own().size());
  }
  double* own_losses = losses + batch_.own().begin;
  batch_.for_blocks([&](int worker, std::int64_t index) {
    own_losses[index] += train_block(workers_[static_cast<std::size_t>(worker)], index, epoch);
  });
  distributed::mark_phase(distributed::Phase::kReduce);
  update_dense();
  update_table();
}

void CtrStep::update_dense() {
  distributed::TreeReduction tree(static_cast<std::size_t>(batch_.blocks()), batch_.own(),
                                  dense_.size());
  std::vector<const float*> leaves;
  for (std::size_t index = 0; index < batch_.own().size(); ++index) {
    leaves.push_back(leaves_[index].data());
  }
  tree.add_all(leaves);
  tree.finish(communicator_, gradient_.data());
  const auto l2 = static_cast<float>(options_.l2);
  for (std::size_t i = 0; i < dense_.size(); ++i) {
    gradient_[i] += l2 * dense_[i];
  }
  kernels::adam({}, kernels::adam_rates(options_.learning_rate, ++updates_), parameter_count(),
                gradient_.data(), dense_.data(), first_moment_.data(), second_moment_.data());
}

// The lists of the blocks, one behind the other, are consecutive parts of one list over all ranks.
void CtrStep::update_table() {
  std::vector<std::int32_t> rows;
  std::vector<float> gradients;
  for (std::size_t index = 0; index < batch_.own().size(); ++index) {
    const data::FeatureBlock& block = batch_.block(static_cast<std::int64_t>(index));
    rows.insert(rows.end(), block.rows.begin(), block.rows.end());
    gradients.insert(gradients.end(), drows_[index].begin(), drows_[index].end());
  }
  models::ctr::ShardedEmbedding::Gradients own;
  table_.reduce(rows, gradients, own);
  table_adam_.update(own, table_.values());
}

std::vector<double> CtrStep::score(const data::CtrSamples& split) {
  std::vector<std::int64_t> samples(static_cast<std::size_t>(split.size()));
  std::iota(samples.begin(), samples.end(), std::int64_t{0});
  std::vector<double> scores(samples.size());
  for (std::int64_t first = 0; first < split.size(); first += options_.batch_size) {
    batch_.load(split, samples.data() + first, std::min(options_.batch_size, split.size() - first));
    batch_.for_blocks([&](int number, std::int64_t index) {
      Worker& worker = workers_[static_cast<std::size_t>(number)];
      forward(worker, index, 0, false);
      double* to = scores.data() + first + batch_.first_sample(index);
      std::transform(worker.logits.begin(), worker.logits.end(), to,
                     [](float logit) { return probability_of(logit); });
    });
  }
  // What another rank computes is 0 here, and adding that changes no bit.
  communicator_.all_reduce(scores.data(), scores.size(), distributed::DType::kFloat64);
  return scores;
}

void CtrStep::keep() { kept_ = {dense_, table_.values()}; }

void CtrStep::restore() {
  dense_ = kept_.dense;
  table_.values() = kept_.table;
}

}  // namespace rallrec::train
