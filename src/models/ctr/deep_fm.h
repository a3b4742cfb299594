#pragma once

#include <vector>

#include "models/ctr/ctr_model.h"
#include "models/ctr/mlp.h"

namespace rallrec::models::ctr {

// DeepFM (Guo et al., IJCAI 2017): the logit is the first-order term, the dot products of all pairs
// of fields, and an MLP on the same embeddings. Parameters: those of the MLP.
class DeepFm : public CtrModel {
 public:
  DeepFm(const CtrShape& shape, const config::BaselineOptions& options, const Queue& queue);

  bool has_first_order() const override { return true; }
  std::int64_t parameter_count() const override { return mlp_.parameter_count(); }
  void initialise(std::uint64_t seed, float* parameters) const override;
  void forward(const float* parameters, const CtrBlock& block, float* logits) override;
  void backward(const float* parameters, const CtrBlock& block, const float* dlogits,
                float* gradient, float* dx) override;

 private:
  CtrShape shape_;
  Queue queue_;
  Mlp mlp_;
};

}  // namespace rallrec::models::ctr
