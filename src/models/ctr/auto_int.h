#pragma once

#include <vector>

#include "kernels/field_attention.h"
#include "models/ctr/ctr_model.h"
#include "models/ctr/mlp.h"
#include "models/ctr/scalar_head.h"

namespace rallrec::models::ctr {

// AutoInt (Song et al., CIKM 2019): interacting layers, in which the fields of a sample attend to
// each other (kernels/field_attention.h), e ← relu(attention(e) + W_res e), and a logit that is
// linear in what the last one leaves; with the MLP beside them it is the paper's AutoInt+. Scores
// are divided by the root of a head's size, which the paper leaves out. Parameters: per layer W_q,
// W_k, W_v, W_res, each [size, inputs]; the weights of the logit; then the MLP.
class AutoInt : public CtrModel {
 public:
  AutoInt(const CtrShape& shape, const config::BaselineOptions& options, const Queue& queue);

  bool has_first_order() const override { return false; }
  std::int64_t parameter_count() const override { return mlp_first() + mlp_.parameter_count(); }
  void initialise(std::uint64_t seed, float* parameters) const override;
  void forward(const float* parameters, const CtrBlock& block, float* logits) override;
  void backward(const float* parameters, const CtrBlock& block, const float* dlogits,
                float* gradient, float* dx) override;

 private:
  struct Layer {
    explicit Layer(const Queue& queue);

    std::int64_t inputs = 0;
    std::int64_t first = 0;          // of its parameters
    DeviceArray<float> projections;  // [rows · fields, 4, size]: q, k, v, residual
    DeviceArray<float> weights;      // of the attention
    DeviceArray<float> output;       // [rows · fields, size]
  };
  // The four parts of a row of projections.
  enum Part { kQuery, kKey, kValue, kResidual, kParts };

  std::int64_t mlp_first() const { return head_first_ + head_.parameter_count(); }
  kernels::FieldAttentionShape attention_shape(const CtrBlock& block) const;
  const float* input_of(std::size_t layer, const CtrBlock& block) const {
    return layer == 0 ? block.x : layers_[layer - 1].output.data();
  }
  void forward_layer(std::size_t layer, const float* parameters, const CtrBlock& block);
  // above_ [rows · fields, size] in, below_ [rows · fields, inputs] out.
  void backward_layer(std::size_t layer, const float* parameters, const CtrBlock& block,
                      float* gradient);

  CtrShape shape_;
  std::int64_t heads_;
  std::int64_t size_;
  std::vector<Layer> layers_;
  std::int64_t head_first_ = 0;
  ScalarHead head_;
  Mlp mlp_;
  Queue queue_;
  DeviceArray<float> dprojections_;
  DeviceArray<float> above_;
  DeviceArray<float> below_;
};

}  // namespace rallrec::models::ctr
