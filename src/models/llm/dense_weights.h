#pragma once

#include <functional>
#include <memory>
#include <string>

#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// Gives the tensor of that name as fp32, [rows, columns] or [rows] as the shape says; throws where
// it is missing or has another shape.
using TensorSource =
    std::function<at::Tensor(const std::string& name, const std::vector<std::int64_t>& shape)>;

enum class DenseType { kFloat32, kBfloat16 };

// All weights in this process's memory, matrices as fp32 or bf16. bf16 matrices multiply
// bf16-rounded activations; results return to fp32. Norm weights stay fp32.
std::unique_ptr<WeightStore> make_dense_weights(const LlmConfig& config, DenseType type,
                                                const TensorSource& source);

}  // namespace rallrec::models::llm
