#pragma once

#include <memory>

#include "distributed/communicator.h"
#include "models/llm/int8_layer_cache.h"
#include "models/llm/quant_mode.h"
#include "models/llm/tensor_source.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// The store for a mode: int8 modes shared out over the ranks of `share_with`, where it is not null
// (collective then; it must outlive the store), all others whole in this process.
std::unique_ptr<WeightStore> make_weights(const LlmConfig& config, QuantMode mode,
                                          const TensorSource& source,
                                          Int8LayerCache cache = Int8LayerCache(),
                                          distributed::Communicator* share_with = nullptr);

}  // namespace rallrec::models::llm
