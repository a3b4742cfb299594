#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/error.h"
#include "kernels/int8_matmul.h"
#include "models/llm/device_linear.h"
#include "models/llm/device_store.h"
#include "models/llm/int8_layer_gather.h"

namespace rallrec::models::llm {
namespace {

using distributed::DType;

// A whole int8 layer, or a rank's part of one: panels of 16 rows whose rows are plain.
struct DevicePanels {
  DevicePanels(const Queue& queue, std::size_t byte_count, std::size_t scale_count)
      : bytes(queue, "model.quant"), scales(queue, "model.quant") {
    bytes.resize(byte_count);
    scales.resize(scale_count);
  }

  PanelsPlace place() { return {bytes.data(), scales.data()}; }

  DeviceArray<std::int8_t> bytes;
  DeviceArray<float> scales;
};

// Panels come packed for CPUs, with depth in pairs; a panel of plain rows takes the same bytes.
std::vector<std::int8_t> plain_rows(const Int8LayerLayout& layout,
                                    Int8LayerLayout::PanelRange range,
                                    const std::vector<std::int8_t>& packed) {
  std::vector<std::int8_t> plain(packed.size());
  std::size_t at = 0;
  for (const Linear linear : kLinears) {
    const Int8LayerLayout::Matrix& matrix = layout[linear];
    const auto first = std::max(range.first, matrix.first_panel);
    const auto last = std::min(range.last, matrix.first_panel + matrix.panels);
    for (std::size_t panel = first; panel < last; ++panel) {
      kernels::unpack_int8_panel(packed.data() + at, matrix.in, plain.data() + at);
      at += matrix.panel_bytes;
    }
  }
  RALLREC_CHECK(at == packed.size(), "the panels of a layer have another size than its layout");
  return plain;
}

class Int8DeviceWeights : public DeviceStore {
 public:
  Int8DeviceWeights(const LlmConfig& config, QuantMode mode, const DeviceWeightSource& source,
                    const distributed::Place& place, bool share)
      : DeviceStore(config, mode, source, place.queue),
        place_(place),
        ranks_(share ? place.host.size() : 1),
        layout_(config, ranks_) {
    refuse_odd_widths();
    for (std::size_t i = 0; i < kLinearCount; ++i) {
      wide_.emplace_back(queue_);
    }
    const int rank = ranks_ > 1 ? place.host.rank() : 0;
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      const auto range = layout_.panels_of(rank);
      const Int8Panels panels = source.panels(layout_, layer, range);
      shards_.emplace_back(queue_, panels.bytes.size(), panels.scales.size());
      shards_.back().bytes.assign(plain_rows(layout_, range, panels.bytes));
      shards_.back().scales.assign(panels.scales);
    }
    if (ranks_ > 1) {
      prepare_gather();
    }
  }

  const LayerWeights& layer(std::int64_t layer, std::int64_t next) override {
    RALLREC_CHECK(layer >= 0 && layer < config_.layers, "there is no such layer");
    if (layer != entered_) {
      entered_ = layer;
      for (Bfloat16Rows& matrix : wide_) {
        matrix.forget();
      }
    }
    if (ranks_ == 1) {
      show(shards_[static_cast<std::size_t>(layer)], layer);
      return weights_;
    }
    show(buffers_[gather_->bring(layer, next)], layer);
    return weights_;
  }

  void begin(Turn wanted) override {
    for (Turn turn = agree(wanted); turn != wanted; turn = agree(wanted)) {
      serve(turn);
    }
  }

  void confirm() override {
    if (ranks_ > 1) {
      place_.device.confirm();
    }
  }

  std::int64_t most_passes(std::int64_t mine) override {
    if (ranks_ > 1) {
      place_.host.all_reduce(&mine, 1, DType::kInt64, distributed::ReduceOp::kMax);
    }
    return mine;
  }

  GatherStatistics gathered() const override {
    return gather_ ? gather_->statistics() : GatherStatistics{};
  }
  std::int64_t frozen_bytes() const override {
    std::int64_t bytes = DeviceStore::frozen_bytes();
    for (const DevicePanels& shard : shards_) {
      bytes += static_cast<std::int64_t>(shard.bytes.size() + 4 * shard.scales.size());
    }
    for (const Linear linear : kLinears) {
      // Where they are used, they come with the first layer.
      const LinearSize size = size_of(config_, linear);
      bytes += mode_ == QuantMode::kW8a8 ? 0 : 2 * size.out * size.in;
    }
    return bytes + static_cast<std::int64_t>(buffers_.size()) * layout_.gathered_bytes();
  }

 private:
  void prepare_gather() {
    for (int b = 0; b < 2; ++b) {
      buffers_.emplace_back(queue_, layout_.bytes(), layout_.scales());
    }
    std::vector<PanelsPlace> shards;
    for (DevicePanels& shard : shards_) {
      shards.push_back(shard.place());
    }
    gather_.emplace(layout_, place_.device, queue_, std::move(shards),
                    std::array<PanelsPlace, 2>{buffers_[0].place(), buffers_[1].place()});
  }

  void refuse_odd_widths() const {
    for (const Linear linear : kLinears) {
      if (size_of(config_, linear).in % 2 != 0) {
        throw_usage(std::string("model.quant (--quant) is '") + name_of(mode_) + "', but " +
                    name_of(linear) + " has an odd number of inputs: choose bf16 or fp32 on a GPU");
      }
    }
  }

  Turn agree(Turn wanted) {
    return static_cast<Turn>(most_passes(static_cast<std::int64_t>(wanted)));
  }

  // A turn of others, with nothing to compute here. Only layers are shared.
  void serve(Turn turn) {
    for (std::int64_t l = 0; turn == Turn::kLayers && l < config_.layers; ++l) {
      layer(l, (l + 1) % config_.layers);
    }
  }

  void show(const DevicePanels& panels, std::int64_t layer) {
    show_norms(layer, weights_);
    for (const Linear linear : kLinears) {
      const Int8LayerLayout::Matrix& matrix = layout_[linear];
      const auto index = static_cast<std::size_t>(linear);
      const Int8Rows rows{
          matrix.out, matrix.in, panels.bytes.data() + matrix.offset,
          panels.scales.data() +
              matrix.first_panel * static_cast<std::size_t>(kernels::kInt8PanelColumns)};
      weights_.linears[index] = make_device_linear(mode_, rows, wide_[index], scratch_);
    }
  }

  distributed::Place place_;
  int ranks_;
  Int8LayerLayout layout_;
  std::vector<Bfloat16Rows> wide_;     // by matrix, of the layer that was entered last
  std::vector<DevicePanels> shards_;   // by layer: what this rank keeps
  std::vector<DevicePanels> buffers_;  // none, or two
  std::int64_t entered_ = -1;
  LayerWeights weights_;
  std::optional<Int8LayerGather> gather_;  // after what it looks into, so that it ends before
};

}  // namespace

std::unique_ptr<WeightStore> make_int8_device_weights(const LlmConfig& config, QuantMode mode,
                                                      const DeviceWeightSource& source,
                                                      const distributed::Place& place, bool share) {
  return std::make_unique<Int8DeviceWeights>(config, mode, source, place, share);
}

}  // namespace rallrec::models::llm
