#pragma once

#include <functional>
#include <memory>

#include "distributed/place.h"
#include "models/llm/float_source.h"
#include "models/llm/int8_layer_layout.h"
#include "models/llm/int8_panels.h"
#include "models/llm/quant_mode.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// What the weights of a device are made from, in host memory and a few rows at a time.
struct DeviceWeightSource {
  FloatSource floats;
  // The panels of a layer in an int8 mode, as they are shared out over `layout`'s ranks.
  std::function<Int8Panels(const Int8LayerLayout& layout, std::int64_t layer,
                           Int8LayerLayout::PanelRange range)>
      panels;
};

// A model's weights in the memory of the place's device, in the form that GPUs multiply by
// (kernels/row_product.h): the same store runs on a CPU queue, which is how it is tested without a
// GPU. Modes fp32, bf16, w8a8, w8a16 and llm_int8.
//
// With `share` the int8 layers are shared out over the place's ranks and gathered by its device
// communicator, the next one while a layer computes; otherwise, and in the other modes, every rank
// has them whole. Embedding table, head and norms are on every rank. Construction is collective
// where shared. Throws kUsage where an int8 mode meets linears of an odd number of inputs.
std::unique_ptr<WeightStore> make_device_weights(const LlmConfig& config, QuantMode mode,
                                                 const DeviceWeightSource& source,
                                                 const distributed::Place& place, bool share);

}  // namespace rallrec::models::llm
