#include "models/llm/device_weights.h"

#include "models/llm/device_store.h"

namespace rallrec::models::llm {

std::unique_ptr<WeightStore> make_device_weights(const LlmConfig& config, QuantMode mode,
                                                 const DeviceWeightSource& source,
                                                 const distributed::Place& place, bool share) {
  return is_int8(mode) ? make_int8_device_weights(config, mode, source, place, share)
                       : make_dense_device_weights(config, mode, source, place.queue);
}

}  // namespace rallrec::models::llm
