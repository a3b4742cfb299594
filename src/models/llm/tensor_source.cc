#include "models/llm/tensor_source.h"

#include "core/check.h"

namespace rallrec::models::llm {

at::Tensor load_whole(const TensorSource& source, const std::string& name,
                      const std::vector<std::int64_t>& shape) {
  const at::Tensor tensor = source(name, shape, {0, shape.front()});
  RALLREC_CHECK(tensor.scalar_type() == at::kFloat && tensor.sizes() == at::IntArrayRef(shape),
                "the source gave another shape for " + name);
  return tensor.contiguous();
}

LayerNorms load_norms(const TensorSource& source, std::int64_t layer, std::int64_t hidden_size) {
  const std::string prefix = "model.layers." + std::to_string(layer) + ".";
  return {load_whole(source, prefix + "input_layernorm.weight", {hidden_size}),
          load_whole(source, prefix + "post_attention_layernorm.weight", {hidden_size})};
}

}  // namespace rallrec::models::llm
