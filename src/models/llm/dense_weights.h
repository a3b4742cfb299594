#pragma once

#include <memory>

#include "models/llm/quant_mode.h"
#include "models/llm/tensor_source.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// All weights in this process's memory. Layer matrices are fp32 or bf16 (they multiply bf16-rounded
// activations; results return to fp32); embedding and head are bf16 with bf16 matrices and fp32
// otherwise. Norm weights stay fp32.
std::unique_ptr<WeightStore> make_dense_weights(const LlmConfig& config, QuantMode mode,
                                                const TensorSource& source);

}  // namespace rallrec::models::llm
