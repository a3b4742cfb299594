#include "models/llm/make_weights.h"

#include "models/llm/dense_weights.h"
#include "models/llm/sharded_int8_weights.h"
#include "models/llm/whole_int8_weights.h"

namespace rallrec::models::llm {

std::unique_ptr<WeightStore> make_weights(const LlmConfig& config, QuantMode mode,
                                          const TensorSource& source, Int8LayerCache cache,
                                          distributed::Communicator* share_with) {
  if (!is_int8(mode)) {
    return make_dense_weights(config, mode, source);
  }
  return share_with == nullptr
             ? make_whole_int8_weights(config, mode, source, cache)
             : make_sharded_int8_weights(config, mode, source, std::move(cache), *share_with);
}

}  // namespace rallrec::models::llm
