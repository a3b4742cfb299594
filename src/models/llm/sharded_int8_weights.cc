#include "models/llm/sharded_int8_weights.h"

#include <algorithm>
#include <array>

#include "core/check.h"
#include "core/stopwatch.h"
#include "kernels/int8_matmul.h"
#include "models/llm/int8_layer_layout.h"
#include "models/llm/int8_linear.h"
#include "models/llm/sharded_vocabulary.h"

namespace rallrec::models::llm {
namespace {

using distributed::DType;

constexpr std::int64_t kPanelRows = kernels::kInt8PanelColumns;
// Panels that are read as fp32 and quantised at a time.
constexpr std::size_t kPanelsPerRead = 16;

// What this rank keeps of one layer.
struct Shard {
  std::vector<std::int8_t> panels;
  std::vector<float> scales;
};

// A layer that is gathered or being gathered.
struct Buffer {
  std::int64_t layer = -1;
  std::vector<std::int8_t> panels;
  std::vector<float> scales;
  // After the vectors, so that a gather under way ends before they do.
  distributed::Handle panels_arrive;
  distributed::Handle scales_arrive;
  LayerWeights weights;
};

class ShardedInt8Weights : public WeightStore {
 public:
  ShardedInt8Weights(const LlmConfig& config, const TensorSource& source,
                     distributed::Communicator& communicator)
      : config_(config),
        communicator_(communicator),
        layout_(config, communicator.size()),
        vocabulary_(config, source, communicator) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      load_layer(layer, source);
    }
    for (Buffer& buffer : buffers_) {
      prepare(buffer);
    }
  }

  const LayerWeights& layer(std::int64_t layer, std::int64_t next) override {
    RALLREC_CHECK(layer >= 0 && layer < config_.layers, "there is no such layer");
    if (buffers_[current_].layer != layer) {
      gather(layer);
      current_ = 1 - current_;
    }
    settle(buffers_[current_]);
    gather(next);
    LayerWeights& weights = buffers_[current_].weights;
    const LayerNorms& norms = norms_[static_cast<std::size_t>(layer)];
    weights.attention_norm = norms.attention;
    weights.mlp_norm = norms.mlp;
    return weights;
  }

  void begin(Turn wanted) override {
    for (Turn turn = agree(wanted); turn != wanted; turn = agree(wanted)) {
      serve(turn);
    }
  }

  std::int64_t most_passes(std::int64_t mine) override {
    communicator_.all_reduce(&mine, 1, DType::kInt64, distributed::ReduceOp::kMax);
    return mine;
  }

  void embed(const std::vector<std::int64_t>& ids, const at::Tensor& y) override {
    vocabulary_.embed(ids, y);
  }
  const at::Tensor& final_norm() const override { return vocabulary_.final_norm(); }
  const LmHead& head() const override { return vocabulary_.head(); }
  std::string mode() const override { return "w8a8"; }
  GatherStatistics gathered() const override { return gathered_; }
  std::int64_t frozen_bytes() const override {
    return vocabulary_.bytes() + config_.layers * layer_norm_bytes(config_.hidden_size) +
           config_.layers * layout_.shard_bytes(communicator_.rank()) +
           static_cast<std::int64_t>(buffers_.size()) * layout_.gathered_bytes();
  }

 private:
  Turn agree(Turn wanted) {
    return static_cast<Turn>(most_passes(static_cast<std::int64_t>(wanted)));
  }

  // A turn of others, with nothing to compute here.
  void serve(Turn turn) {
    const at::Tensor none = at::empty({0, config_.hidden_size}, at::kFloat);
    switch (turn) {
      case Turn::kLayers:
        embed({}, none);
        for (std::int64_t l = 0; l < config_.layers; ++l) {
          layer(l, (l + 1) % config_.layers);
        }
        break;
      case Turn::kLogits:
        head().logits(none);
        break;
      case Turn::kLogitsOf:
        head().logits_of(none, {});
        break;
      case Turn::kNone:
        break;
    }
  }

  // Starts to bring the layer into the buffer that is not the current one, unless it is in either.
  void gather(std::int64_t layer) {
    const bool here = buffers_[0].layer == layer || buffers_[1].layer == layer;
    if (layer < 0 || layer >= config_.layers || here) {
      return;
    }
    Buffer& buffer = buffers_[1 - current_];
    settle(buffer);  // a gather that nobody asked for since
    buffer.layer = layer;
    const Shard& shard = shards_[static_cast<std::size_t>(layer)];
    buffer.panels_arrive = communicator_.all_gather_v_async(
        shard.panels.data(), buffer.panels.data(), layout_.bytes_of_ranks(), DType::kUInt8);
    buffer.scales_arrive = communicator_.all_gather_v_async(
        shard.scales.data(), buffer.scales.data(), layout_.scales_of_ranks(), DType::kFloat32);
    gathered_.layers += 1;
    gathered_.bytes +=
        layout_.bytes() - shard.panels.size() + 4 * (layout_.scales() - shard.scales.size());
  }

  // Views of the buffer, which never moves.
  void prepare(Buffer& buffer) {
    buffer.panels.resize(layout_.bytes());
    buffer.scales.resize(layout_.scales());
    for (const Linear linear : kLinears) {
      const Int8LayerLayout::Matrix& matrix = layout_[linear];
      buffer.weights.linears[static_cast<std::size_t>(linear)] =
          std::make_unique<Int8Linear>(Int8View{
              matrix.out, matrix.in, buffer.panels.data() + matrix.offset,
              buffer.scales.data() + matrix.first_panel * static_cast<std::size_t>(kPanelRows)});
    }
  }

  void settle(Buffer& buffer) {
    const Stopwatch watch;
    buffer.panels_arrive.wait();
    buffer.scales_arrive.wait();
    gathered_.waited_seconds += watch.seconds();
  }

  void load_layer(std::int64_t layer, const TensorSource& source) {
    norms_.push_back(load_norms(source, layer, config_.hidden_size));
    Shard shard;
    const auto rank = static_cast<std::size_t>(communicator_.rank());
    shard.panels.reserve(layout_.bytes_of_ranks()[rank]);
    shard.scales.reserve(layout_.scales_of_ranks()[rank]);
    const Int8LayerLayout::PanelRange mine = layout_.panels_of(communicator_.rank());
    for (const Linear linear : kLinears) {
      const Int8LayerLayout::Matrix& matrix = layout_[linear];
      const std::size_t first = std::max(mine.first, matrix.first_panel);
      const std::size_t last = std::min(mine.last, matrix.first_panel + matrix.panels);
      // Asked for also where nothing is kept: each rank checks that the tensor is there.
      source(weight_name(layer, linear), {matrix.out, matrix.in}, {0, 0});
      for (std::size_t panel = first; panel < last; panel += kPanelsPerRead) {
        const std::size_t end = std::min(last, panel + kPanelsPerRead);
        append_panels(source, weight_name(layer, linear), matrix, panel - matrix.first_panel,
                      end - matrix.first_panel, shard);
      }
    }
    shards_.push_back(std::move(shard));
  }

  // Reads, quantises and packs the matrix's panels [first, last).
  void append_panels(const TensorSource& source, const std::string& name,
                     const Int8LayerLayout::Matrix& matrix, std::size_t first, std::size_t last,
                     Shard& shard) const {
    const std::int64_t row = static_cast<std::int64_t>(first) * kPanelRows;
    const std::int64_t rows =
        std::min(matrix.out, static_cast<std::int64_t>(last) * kPanelRows) - row;
    const at::Tensor values = source(name, {matrix.out, matrix.in}, {row, rows}).contiguous();
    std::vector<std::int8_t> quantised(static_cast<std::size_t>(rows * matrix.in));
    const std::size_t scales = shard.scales.size();
    shard.scales.resize(scales + (last - first) * static_cast<std::size_t>(kPanelRows));
    kernels::quantize_weight_rows(rows, matrix.in, values.const_data_ptr<float>(), quantised.data(),
                                  shard.scales.data() + scales);
    const std::size_t bytes = shard.panels.size();
    shard.panels.resize(bytes + (last - first) * matrix.panel_bytes);
    kernels::pack_int8(quantised.data(), 1, matrix.in, matrix.in, rows,
                       shard.panels.data() + bytes);
  }

  LlmConfig config_;
  distributed::Communicator& communicator_;
  Int8LayerLayout layout_;
  ShardedVocabulary vocabulary_;
  std::vector<LayerNorms> norms_;
  std::vector<Shard> shards_;  // per layer
  std::array<Buffer, 2> buffers_;
  std::size_t current_ = 0;  // the buffer that `layer` gave out last
  GatherStatistics gathered_;
};

}  // namespace

std::unique_ptr<WeightStore> make_sharded_int8_weights(const LlmConfig& config,
                                                       const TensorSource& source,
                                                       distributed::Communicator& communicator) {
  return std::make_unique<ShardedInt8Weights>(config, source, communicator);
}

}  // namespace rallrec::models::llm
