#include "train/light_gcn_step.h"

#include <cmath>

#include "core/rng.h"

namespace rallrec::train {
namespace {

// Xavier-uniform per table (users, items), each row a pure function of seed and node.
std::vector<float> initial_vectors(const models::Adjacency& adjacency, std::int64_t width,
                                   std::uint64_t seed) {
  std::vector<float> vectors(static_cast<std::size_t>(adjacency.nodes() * width));
  for (std::int64_t node = 0; node < adjacency.nodes(); ++node) {
    const std::int64_t table = node < adjacency.users ? adjacency.users : adjacency.items;
    const auto bound = static_cast<float>(std::sqrt(6.0 / static_cast<double>(table + width)));
    Rng rng(seed, static_cast<std::uint64_t>(node));
    for (std::int64_t k = 0; k < width; ++k) {
      vectors[node * width + k] = bound * (2.0f * rng.next_float() - 1.0f);
    }
  }
  return vectors;
}

double inverse_or_zero(double norm) { return norm > 0.0 ? 1.0 / norm : 0.0; }

}  // namespace

void NodeTriples::clear() {
  users.clear();
  positives.clear();
  negatives.clear();
}

kernels::BprBatch NodeTriples::batch() const {
  return {users.data(), positives.data(), negatives.data(),
          static_cast<std::int64_t>(users.size())};
}

LightGcnStep::LightGcnStep(const models::Adjacency& adjacency,
                           const config::LightGcnOptions& options,
                           distributed::Communicator& communicator)
    : options_(options),
      model_(adjacency, options.layers, options.embedding_size, communicator),
      width_(options.embedding_size),
      adam_(static_cast<std::int64_t>(model_.own_count())),
      layer0_(initial_vectors(adjacency, width_, static_cast<std::uint64_t>(options.seed))) {}

double LightGcnStep::run(const kernels::BprBatch& batch) {
  const auto begin = static_cast<std::int64_t>(model_.own_nodes().begin);
  const auto end = static_cast<std::int64_t>(model_.own_nodes().end);
  model_.propagate(layer0_, final_);
  margins_.resize(static_cast<std::size_t>(batch.count));
  kernels::bpr_margins({}, final_.data(), width_, batch, margins_.data());
  double loss = kernels::bpr_loss_sum(margins_.data(), batch.count);
  const float weight = 1.0f / static_cast<float>(batch.count);
  kernels::bpr_slopes(margins_.data(), batch.count, weight, margins_.data());
  own_.assign(model_.own_count(), 0.0f);
  kernels::bpr_add_gradient({}, final_.data(), width_, batch, margins_.data(), begin, end,
                            own_.data());
  model_.gather(own_, gradient_);
  model_.propagate_own(gradient_, own_);
  if (options_.reg_weight > 0.0) {
    loss += add_regularisation(batch);
  }
  // `final_` serves as the copy of the own rows that Adam changes; the next run writes it anew.
  final_.assign(layer0_.begin() + begin * width_, layer0_.begin() + end * width_);
  adam_.step(final_.data(), own_.data(), options_.learning_rate);
  model_.gather(final_, layer0_);
  return loss;
}

double LightGcnStep::add_regularisation(const kernels::BprBatch& batch) {
  const kernels::BprRoles norms = kernels::bpr_norms({}, layer0_.data(), width_, batch);
  const double weight = options_.reg_weight / static_cast<double>(batch.count);
  const kernels::BprRoles scale{weight * inverse_or_zero(norms.user),
                                weight * inverse_or_zero(norms.positive),
                                weight * inverse_or_zero(norms.negative)};
  kernels::bpr_add_norm_gradient({}, layer0_.data(), width_, batch, scale,
                                 static_cast<std::int64_t>(model_.own_nodes().begin),
                                 static_cast<std::int64_t>(model_.own_nodes().end), own_.data());
  return options_.reg_weight * (norms.user + norms.positive + norms.negative);
}

void LightGcnStep::embeddings(std::vector<float>& result) { model_.propagate(layer0_, result); }

}  // namespace rallrec::train
