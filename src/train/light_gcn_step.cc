#include "train/light_gcn_step.h"

#include <cmath>

#include "core/check.h"
#include "core/rng.h"
#include "distributed/flight_marks.h"
#include "kernels/adam.h"

namespace rallrec::train {
namespace {

// Xavier-uniform per table (users, items), each row a pure function of seed and node.
std::vector<float> initial_vectors(const models::Adjacency& adjacency,
                                   const std::vector<std::int32_t>& nodes, std::int64_t width,
                                   std::uint64_t seed) {
  std::vector<float> vectors(nodes.size() * static_cast<std::size_t>(width));
  float* row = vectors.data();
  for (const std::int32_t node : nodes) {
    const std::int64_t table = node < adjacency.users ? adjacency.users : adjacency.items;
    const auto bound = static_cast<float>(std::sqrt(6.0 / static_cast<double>(table + width)));
    Rng rng(seed, static_cast<std::uint64_t>(node));
    for (std::int64_t k = 0; k < width; ++k) {
      row[k] = bound * (2.0f * rng.next_float() - 1.0f);
    }
    row += width;
  }
  return vectors;
}

constexpr std::int64_t kLossColumns = 4;

}  // namespace

LightGcnStep::LightGcnStep(const models::Adjacency& adjacency,
                           const config::LightGcnOptions& options, const distributed::Place& place)
    : options_(options),
      model_(adjacency, options.layers, options.embedding_size, place),
      triples_(model_),
      width_(options.embedding_size),
      losses_(model_.array<double>()),
      layer0_(model_.array<float>()),
      final_(model_.array<float>()),
      gradient_(model_.array<float>()),
      layer0_gradient_(model_.array<float>()),
      slopes_(model_.array<float>()),
      first_moment_(model_.array<float>()),
      second_moment_(model_.array<float>()) {
  layer0_.assign(initial_vectors(adjacency, model_.exchange().nodes(), width_,
                                 static_cast<std::uint64_t>(options.seed)));
  first_moment_.assign_zeros(model_.own_count());
  second_moment_.assign_zeros(model_.own_count());
}

void LightGcnStep::begin(std::int64_t steps) {
  recorded_ = 0;
  losses_.assign_zeros(static_cast<std::size_t>(steps * kLossColumns));
}

void LightGcnStep::run(const kernels::BprBatch& batch) {
  RALLREC_CHECK(static_cast<std::size_t>((recorded_ + 1) * kLossColumns) <= losses_.size(),
                "LightGcnStep: more steps than begin() was told");
  const Queue& queue = model_.place().queue;
  double* loss = losses_.data() + recorded_ * kLossColumns;
  distributed::mark_phase(distributed::Phase::kForward);
  model_.propagate(layer0_, final_);
  triples_.start(batch);
  const TripleRows::Rows rows = triples_.collect(final_);
  slopes_.resize(static_cast<std::size_t>(batch.count));
  kernels::bpr_loss(queue, rows.values, width_, rows.batch, 1.0f / static_cast<float>(batch.count),
                    slopes_.data(), loss);
  // Every rank has the batch's rows, and so the gradient of each row that its first product reads.
  distributed::mark_phase(distributed::Phase::kBackward);
  gradient_.assign_zeros(model_.count());
  kernels::bpr_add_gradient(queue, rows.values, width_, rows.batch, slopes_.data(),
                            {triples_.places(), 0, model_.exchange().rows()}, gradient_.data());
  model_.propagate(gradient_, layer0_gradient_);
  if (options_.reg_weight > 0.0) {
    add_regularisation(loss + 1);
  }
  distributed::mark_phase(distributed::Phase::kUpdate);
  update();
  ++recorded_;
}

void LightGcnStep::add_regularisation(double* norms) {
  const kernels::BprBatch& places = triples_.places();
  const models::RowExchange& exchange = model_.exchange();
  triples_.norms(layer0_, norms);
  kernels::bpr_add_norm_gradient(model_.place().queue, layer0_.data(), width_, places,
                                 options_.reg_weight / static_cast<double>(places.count), norms,
                                 {places, exchange.own_begin(), exchange.own_end()},
                                 model_.own(layer0_gradient_));
}

void LightGcnStep::update() {
  kernels::adam(model_.place().queue, kernels::adam_rates(options_.learning_rate, ++updates_),
                static_cast<std::int64_t>(model_.own_count()), model_.own(layer0_gradient_),
                model_.own(layer0_), first_moment_.data(), second_moment_.data());
  // Without layers no product reads the rows of others.
  if (options_.layers > 0) {
    model_.fill(layer0_);
  }
}

double LightGcnStep::loss() {
  model_.settle();
  const std::vector<double> losses = losses_.host();
  double sum = 0.0;
  for (std::int64_t step = 0; step < recorded_; ++step) {
    const double* of_step = losses.data() + step * kLossColumns;
    sum += of_step[0] + options_.reg_weight * (of_step[1] + of_step[2] + of_step[3]);
  }
  return sum;
}

void LightGcnStep::embeddings(std::vector<float>& result) {
  model_.propagate(layer0_, final_);
  auto all = model_.array<float>();
  model_.gather(final_, all);
  model_.settle();
  all.copy_to(result);
}

}  // namespace rallrec::train
