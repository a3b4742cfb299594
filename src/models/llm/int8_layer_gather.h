#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/device.h"
#include "distributed/communicator.h"
#include "models/llm/gather_statistics.h"
#include "models/llm/int8_layer_layout.h"

namespace rallrec::models::llm {

// Where panels and their scales lie, in the memory of the communicator that moves them.
struct PanelsPlace {
  std::int8_t* bytes = nullptr;
  float* scales = nullptr;
};

// Brings int8 layers of which every rank keeps a part, one after the other, into two buffers in
// turn: the next one is on its way while the queue computes with this one. Every rank asks for the
// same layers in the same order. All that it is given outlives it.
class Int8LayerGather {
 public:
  // `shards`: this rank's panels by layer; `buffers`: room for a whole layer each.
  Int8LayerGather(const Int8LayerLayout& layout, distributed::Communicator& communicator,
                  const Queue& queue, std::vector<PanelsPlace> shards,
                  const std::array<PanelsPlace, 2>& buffers);

  // The number of the buffer that holds the layer for later work of the queue, until the next call.
  // `next` is then on its way; a number outside the model says none.
  std::size_t bring(std::int64_t layer, std::int64_t next);
  const GatherStatistics& statistics() const { return statistics_; }

 private:
  struct Buffer {
    std::int64_t layer = -1;
    PanelsPlace place;
    distributed::Handle panels_arrive;
    distributed::Handle scales_arrive;
  };

  void start(std::int64_t layer);
  void settle(Buffer& buffer);

  const Int8LayerLayout& layout_;
  distributed::Communicator& communicator_;
  Queue queue_;
  std::vector<PanelsPlace> shards_;
  std::array<Buffer, 2> buffers_;
  std::size_t current_ = 0;  // the buffer that `bring` gave out last
  GatherStatistics statistics_;
};

}  // namespace rallrec::models::llm
