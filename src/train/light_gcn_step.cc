#include "train/light_gcn_step.h"

#include <cmath>

#include "core/check.h"
#include "core/rng.h"
#include "distributed/flight_marks.h"

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
      step_losses_(model_.array<double>()),
      all_rates_(model_.array<kernels::AdamRates>()),
      rates_(model_.array<kernels::AdamRates>()),
      nodes_(model_.array<std::int32_t>()),
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
  step_losses_.assign_zeros(kLossColumns);
  rates_.resize(1);
}

void LightGcnStep::begin(std::int64_t steps) {
  recorded_ = 0;
  losses_.assign_zeros(static_cast<std::size_t>(steps * kLossColumns));
  std::vector<kernels::AdamRates> rates;
  for (std::int64_t step = 1; step <= steps; ++step) {
    rates.push_back(kernels::adam_rates(options_.learning_rate, updates_ + step));
  }
  all_rates_.assign(rates);
}

void LightGcnStep::run(const kernels::BprBatch& batch) {
  RALLREC_CHECK(static_cast<std::size_t>((recorded_ + 1) * kLossColumns) <= losses_.size(),
                "LightGcnStep: more steps than begin() was told");
  // What differs from step to step goes in and out by copies around the repeated work.
  const Queue& queue = model_.place().queue;
  Replay& replay = replay_of(batch.count);
  const kernels::BprBatch taken = take_in(batch);
  copy_on_device(queue, rates_.data(), all_rates_.data() + recorded_, sizeof(kernels::AdamRates));
  // A captured step is marked as a whole.
  distributed::mark_phase(distributed::Phase::kForward);
  replay.run([&] { step(taken); });
  copy_on_device(queue, losses_.data() + recorded_ * kLossColumns, step_losses_.data(),
                 kLossColumns * sizeof(double));
  ++recorded_;
  ++updates_;
}

// Where more triples come than ever before, arrays move, and what was captured is void.
Replay& LightGcnStep::replay_of(std::int64_t triples) {
  if (replays_.empty() || triples > replays_.rbegin()->first) {
    replays_.clear();
  }
  return replays_.try_emplace(triples, model_.place().queue, model_.place().device.size() == 1)
      .first->second;
}

kernels::BprBatch LightGcnStep::take_in(const kernels::BprBatch& batch) {
  const auto count = static_cast<std::size_t>(batch.count);
  nodes_.resize(3 * count);
  std::int32_t* to = nodes_.data();
  for (const std::int32_t* from : {batch.users, batch.positives, batch.negatives}) {
    copy_on_device(model_.place().queue, to, from, count * sizeof(std::int32_t));
    to += count;
  }
  return {nodes_.data(), nodes_.data() + count, nodes_.data() + 2 * count, batch.count};
}

void LightGcnStep::step(const kernels::BprBatch& batch) {
  const Queue& queue = model_.place().queue;
  model_.propagate(layer0_, final_);
  triples_.start(batch);
  const TripleRows::Rows rows = triples_.collect(final_);
  slopes_.resize(static_cast<std::size_t>(batch.count));
  kernels::bpr_loss(queue, rows.values, width_, rows.batch, 1.0f / static_cast<float>(batch.count),
                    slopes_.data(), step_losses_.data());
  // Every rank has the batch's rows, and so the gradient of each row that its first product reads.
  distributed::mark_phase(distributed::Phase::kBackward);
  gradient_.assign_zeros(model_.count());
  kernels::bpr_add_gradient(queue, rows.values, width_, rows.batch, slopes_.data(),
                            {triples_.places(), 0, model_.exchange().rows()}, gradient_.data());
  model_.propagate(gradient_, layer0_gradient_);
  if (options_.reg_weight > 0.0) {
    add_regularisation();
  }
  distributed::mark_phase(distributed::Phase::kUpdate);
  update();
}

void LightGcnStep::add_regularisation() {
  const kernels::BprBatch& places = triples_.places();
  const models::RowExchange& exchange = model_.exchange();
  double* norms = step_losses_.data() + 1;
  triples_.norms(layer0_, norms);
  kernels::bpr_add_norm_gradient(model_.place().queue, layer0_.data(), width_, places,
                                 options_.reg_weight / static_cast<double>(places.count), norms,
                                 {places, exchange.own_begin(), exchange.own_end()},
                                 model_.own(layer0_gradient_));
}

void LightGcnStep::update() {
  kernels::adam_by_stored_rates(model_.place().queue, rates_.data(),
                                static_cast<std::int64_t>(model_.own_count()),
                                model_.own(layer0_gradient_), model_.own(layer0_),
                                first_moment_.data(), second_moment_.data());
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
