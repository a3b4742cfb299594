#include "models/llm/int8_layer_gather.h"

#include <utility>

#include "core/stopwatch.h"

namespace rallrec::models::llm {

using distributed::DType;

Int8LayerGather::Int8LayerGather(const Int8LayerLayout& layout,
                                 distributed::Communicator& communicator, const Queue& queue,
                                 std::vector<PanelsPlace> shards,
                                 const std::array<PanelsPlace, 2>& buffers)
    : layout_(layout), communicator_(communicator), queue_(queue), shards_(std::move(shards)) {
  for (std::size_t b = 0; b < buffers.size(); ++b) {
    buffers_[b].place = buffers[b];
  }
}

std::size_t Int8LayerGather::bring(std::int64_t layer, std::int64_t next) {
  if (buffers_[current_].layer != layer) {
    start(layer);
    current_ = 1 - current_;
  }
  settle(buffers_[current_]);
  start(next);
  return current_;
}

// Into the buffer that is not the current one, unless the layer is in either. A communicator of a
// device waits for what the queue still computes with that buffer.
void Int8LayerGather::start(std::int64_t layer) {
  const bool here = buffers_[0].layer == layer || buffers_[1].layer == layer;
  if (layer < 0 || layer >= static_cast<std::int64_t>(shards_.size()) || here) {
    return;
  }
  Buffer& buffer = buffers_[1 - current_];
  settle(buffer);  // a gather that nobody asked for since
  buffer.layer = layer;
  const PanelsPlace& shard = shards_[static_cast<std::size_t>(layer)];
  buffer.panels_arrive = communicator_.all_gather_v_async(shard.bytes, buffer.place.bytes,
                                                          layout_.bytes_of_ranks(), DType::kUInt8);
  buffer.scales_arrive = communicator_.all_gather_v_async(
      shard.scales, buffer.place.scales, layout_.scales_of_ranks(), DType::kFloat32);
  const auto rank = static_cast<std::size_t>(communicator_.rank());
  statistics_.layers += 1;
  statistics_.bytes += layout_.bytes() - layout_.bytes_of_ranks()[rank] +
                       4 * (layout_.scales() - layout_.scales_of_ranks()[rank]);
}

// The queue waits; the host does where the communicator moves host memory.
void Int8LayerGather::settle(Buffer& buffer) {
  const Stopwatch watch;
  buffer.panels_arrive.hold(queue_);
  buffer.scales_arrive.hold(queue_);
  statistics_.waited_seconds += watch.seconds();
}

}  // namespace rallrec::models::llm
