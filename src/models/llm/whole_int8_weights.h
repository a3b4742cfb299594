#pragma once

#include <memory>

#include "models/llm/int8_layer_cache.h"
#include "models/llm/quant_mode.h"
#include "models/llm/tensor_source.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// int8 weights, all of them in this process's memory (int8_linear.h); embedding and head are bf16
// where that keeps every number, else fp32.
std::unique_ptr<WeightStore> make_whole_int8_weights(const LlmConfig& config, QuantMode mode,
                                                     const TensorSource& source,
                                                     Int8LayerCache& cache);

}  // namespace rallrec::models::llm
