#pragma once

#include <memory>

#include "distributed/communicator.h"
#include "models/llm/int8_layer_cache.h"
#include "models/llm/quant_mode.h"
#include "models/llm/tensor_source.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// int8 weights of which every rank keeps 1/n (Int8LayerLayout). A layer is gathered into one of two
// buffers while the layer before it computes, so a rank holds its part and two whole layers.
// Embedding and head are cut by vocabulary blocks (ShardedTable), norms are on every rank. Bits are
// those of the weights in one memory. The int8 modes share the same bytes; in w8a16 and llm_int8
// the layer that computes is there in 16 or 32 bits as well.
//
// What the cache lacks is written in the first pass, as the layers go by.
//
// Collective, as all methods of the store are; `communicator` must outlive it.
std::unique_ptr<WeightStore> make_sharded_int8_weights(const LlmConfig& config, QuantMode mode,
                                                       const TensorSource& source,
                                                       Int8LayerCache cache,
                                                       distributed::Communicator& communicator);

}  // namespace rallrec::models::llm
