#pragma once

#include <vector>

#include "kernels/cin.h"
#include "models/ctr/ctr_model.h"
#include "models/ctr/mlp.h"
#include "models/ctr/scalar_head.h"

namespace rallrec::models::ctr {

// xDeepFM (Lian et al., KDD 2018): the logit is the first-order term, a compressed interaction
// network (kernels/cin.h) and an MLP on the same embeddings. As in the paper every layer of the
// network passes all its maps on and also pools them for the logit, without an activation between
// layers. Parameters: per layer its w [maps out, maps in, fields] and the weights of its pooled
// maps, then the MLP.
class XDeepFm : public CtrModel {
 public:
  XDeepFm(const CtrShape& shape, const config::BaselineOptions& options, const Queue& queue);

  bool has_first_order() const override { return true; }
  std::int64_t parameter_count() const override { return mlp_first_ + mlp_.parameter_count(); }
  void initialise(std::uint64_t seed, float* parameters) const override;
  void forward(const float* parameters, const CtrBlock& block, float* logits) override;
  void backward(const float* parameters, const CtrBlock& block, const float* dlogits,
                float* gradient, float* dx) override;

 private:
  struct Layer {
    kernels::CinShape shape;  // but for the batch
    std::int64_t first = 0;   // of its parameters
    ScalarHead head;
    DeviceArray<float> maps;    // [rows, maps_out, dim]
    DeviceArray<float> pooled;  // [rows, maps_out]

    std::int64_t weights() const { return shape.maps_out * shape.pairs(); }
    kernels::CinShape shape_of(const CtrBlock& block) const;
  };
  const float* input_of(std::size_t layer, const CtrBlock& block) const {
    return layer == 0 ? block.x : layers_[layer - 1].maps.data();
  }

  CtrShape shape_;
  std::vector<Layer> layers_;
  std::int64_t mlp_first_ = 0;
  Mlp mlp_;
  Queue queue_;
  DeviceArray<float> dpooled_;
  DeviceArray<float> dx0_;  // a layer's share
  DeviceArray<float> above_;
  DeviceArray<float> below_;
};

}  // namespace rallrec::models::ctr
