#pragma once

#include <vector>

#include "models/ctr/ctr_model.h"
#include "models/ctr/mlp.h"
#include "models/ctr/scalar_head.h"

namespace rallrec::models::ctr {

// Deep & Cross Network of 2017 (Wang et al., ADKDD): layers x_{l+1} = x_0 <x_l, w_l> + b_l + x_l
// (kernels/cross_layer.h) beside an MLP, both on the embeddings; the logit is linear in what the
// two end with. Parameters: w_0, b_0, w_1, b_1, …, the cross network's part of the combination,
// then the MLP, whose output is the other part.
class Dcn : public CtrModel {
 public:
  Dcn(const CtrShape& shape, const config::BaselineOptions& options, const Queue& queue);

  bool has_first_order() const override { return false; }
  std::int64_t parameter_count() const override;
  void initialise(std::uint64_t seed, float* parameters) const override;
  void forward(const float* parameters, const CtrBlock& block, float* logits) override;
  void backward(const float* parameters, const CtrBlock& block, const float* dlogits,
                float* gradient, float* dx) override;

 private:
  std::int64_t head_first() const { return 2 * layers_ * width_; }
  std::int64_t mlp_first() const { return head_first() + head_.parameter_count(); }
  // x_l.
  const float* input_of(std::int64_t layer, const CtrBlock& block) const {
    return layer == 0 ? block.x : outputs_[static_cast<std::size_t>(layer) - 1].data();
  }

  std::int64_t width_;
  std::int64_t layers_;
  ScalarHead head_;
  Mlp mlp_;
  Queue queue_;
  std::vector<DeviceArray<float>> outputs_;  // x_1, x_2, …
  std::vector<DeviceArray<float>> dots_;     // <x_l, w_l>
  DeviceArray<float> above_;
  DeviceArray<float> below_;
};

}  // namespace rallrec::models::ctr
