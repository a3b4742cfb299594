#include "models/ctr/deep_fm.h"

#include "config/sizes.h"
#include "kernels/fm_interaction.h"

namespace rallrec::models::ctr {

DeepFm::DeepFm(const CtrShape& shape, const config::BaselineOptions& options, const Queue& queue)
    : shape_(shape),
      queue_(queue),
      mlp_(shape.width(), config::read_sizes(options.mlp_sizes), options.dropout,
           static_cast<std::uint64_t>(options.seed), queue) {}

void DeepFm::initialise(std::uint64_t seed, float* parameters) const {
  Rng rng(seed);
  mlp_.initialise(rng, parameters);
}

void DeepFm::forward(const float* parameters, const CtrBlock& block, float* logits) {
  kernels::fm_interaction(queue_, {block.rows, shape_.fields, shape_.dim}, block.x, logits);
  mlp_.forward(parameters, block, block.x, logits);
}

void DeepFm::backward(const float* parameters, const CtrBlock& block, const float* dlogits,
                      float* gradient, float* dx) {
  kernels::fm_interaction_backward(queue_, {block.rows, shape_.fields, shape_.dim}, block.x,
                                   dlogits, dx);
  mlp_.backward(parameters, block, block.x, dlogits, gradient, dx);
}

}  // namespace rallrec::models::ctr
