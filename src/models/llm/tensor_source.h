#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/llm/float_source.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// Gives rows of the tensor of that name as fp32, [count, columns] or [count]; throws where it is
// missing or is not of `shape`. Asked for no rows it only checks.
using TensorSource = std::function<at::Tensor(
    const std::string& name, const std::vector<std::int64_t>& shape, RowRange rows)>;

// The whole tensor, contiguous and of that shape.
at::Tensor load_whole(const TensorSource& source, const std::string& name,
                      const std::vector<std::int64_t>& shape);

// The two norm weights of a decoder layer.
struct LayerNorms {
  at::Tensor attention;  // fp32 [hidden]
  at::Tensor mlp;        // fp32 [hidden]

  // The norms outlive the layer.
  void show_in(LayerWeights& layer) const {
    layer.attention_norm = attention.const_data_ptr<float>();
    layer.mlp_norm = mlp.const_data_ptr<float>();
  }
};
constexpr std::int64_t layer_norm_bytes(std::int64_t hidden_size) { return 2 * 4 * hidden_size; }
LayerNorms load_norms(const TensorSource& source, std::int64_t layer, std::int64_t hidden_size);

}  // namespace rallrec::models::llm
