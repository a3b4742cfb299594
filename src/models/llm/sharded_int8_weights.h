#pragma once

#include <memory>

#include "distributed/communicator.h"
#include "models/llm/tensor_source.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// w8a8 weights of which every rank keeps 1/n (Int8LayerLayout). A layer is gathered into one of two
// buffers while the layer before it computes, so a rank holds its part and two whole layers.
// Embedding and head are cut by vocabulary blocks (ShardedTable), norms are on every rank. Bits are
// those of the weights in one memory.
//
// Collective, as all methods of the store are; `communicator` must outlive it.
std::unique_ptr<WeightStore> make_sharded_int8_weights(const LlmConfig& config,
                                                       const TensorSource& source,
                                                       distributed::Communicator& communicator);

}  // namespace rallrec::models::llm
