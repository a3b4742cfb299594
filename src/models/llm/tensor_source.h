#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rallrec::models::llm {

struct RowRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

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
};
constexpr std::int64_t layer_norm_bytes(std::int64_t hidden_size) { return 2 * 4 * hidden_size; }
LayerNorms load_norms(const TensorSource& source, std::int64_t layer, std::int64_t hidden_size);

}  // namespace rallrec::models::llm
