#include "models/llm/dense_weights.h"

#include "core/check.h"
#include "models/llm/dense_linear.h"
#include "models/llm/fp32_linear.h"
#include "models/llm/whole_weights.h"

namespace rallrec::models::llm {
namespace {

class DenseWeights : public WholeWeights {
 public:
  DenseWeights(const LlmConfig& config, QuantMode mode, const TensorSource& source)
      : WholeWeights(config, mode, source) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      for (const Linear linear : kLinears) {
        const LinearSize size = size_of(config, linear);
        layers_[static_cast<std::size_t>(layer)].linears[static_cast<std::size_t>(linear)] =
            make_linear(load_whole(source, weight_name(layer, linear), {size.out, size.in}));
      }
    }
  }

  std::int64_t frozen_bytes() const override {
    std::int64_t bytes = WholeWeights::frozen_bytes();
    for (const LayerWeights& layer : layers_) {
      for (const auto& linear : layer.linears) {
        bytes += linear->bytes();
      }
    }
    return bytes;
  }

 private:
  std::unique_ptr<FrozenLinear> make_linear(const at::Tensor& weight) const {
    if (mode_ == QuantMode::kBfloat16) {
      return std::make_unique<DenseLinear>(weight.to(at::kBFloat16));
    }
    return std::make_unique<Fp32Linear>(weight);
  }
};

}  // namespace

std::unique_ptr<WeightStore> make_dense_weights(const LlmConfig& config, QuantMode mode,
                                                const TensorSource& source) {
  RALLREC_CHECK(!is_int8(mode), "make_dense_weights: an int8 mode");
  return std::make_unique<DenseWeights>(config, mode, source);
}

}  // namespace rallrec::models::llm
