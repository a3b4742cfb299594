#pragma once

#include <cstdint>
#include <vector>

#include "models/llm/int8_layer_cache.h"
#include "models/llm/int8_layer_layout.h"
#include "models/llm/int8_panels.h"
#include "models/llm/quant_mode.h"
#include "models/llm/tensor_source.h"
#include "models/llm/weight_store.h"
#include "models/llm/wide_layer.h"

namespace rallrec::models::llm {

// The panels [range) of a decoder layer, from the cache or quantised from the weights, a few rows
// in fp32 at a time. Each tensor of the layer is asked for even where nothing of it is kept, so
// that every rank checks it.
Int8Panels load_panels(const LlmConfig& config, const Int8LayerLayout& layout, std::int64_t layer,
                       Int8LayerLayout::PanelRange range, const TensorSource& source,
                       Int8LayerCache& cache);

// The linears of a layer whose whole panels and scales stand at these places, which must outlive
// them.
void view_linears(const Int8LayerLayout& layout, QuantMode mode, const Int8Panels& panels,
                  WideLayer& wide, LayerWeights& weights);

}  // namespace rallrec::models::llm
