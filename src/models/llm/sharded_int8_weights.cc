#include "models/llm/sharded_int8_weights.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/check.h"
#include "models/llm/int8_layer_gather.h"
#include "models/llm/int8_layer_layout.h"
#include "models/llm/int8_layer_source.h"
#include "models/llm/sharded_vocabulary.h"

namespace rallrec::models::llm {
namespace {

using distributed::DType;

// Room for a whole layer, and its linears as they look into it.
struct Buffer {
  Int8Panels panels;
  LayerWeights weights;
};

PanelsPlace place_of(Int8Panels& panels) { return {panels.bytes.data(), panels.scales.data()}; }

class ShardedInt8Weights : public WeightStore {
 public:
  ShardedInt8Weights(const LlmConfig& config, QuantMode mode, const TensorSource& source,
                     Int8LayerCache cache, distributed::Communicator& communicator)
      : config_(config),
        mode_(mode),
        communicator_(communicator),
        layout_(config, communicator.size()),
        vocabulary_(config, source, communicator),
        wide_(wide_type_of_this_cpu()),
        cache_(std::move(cache)) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      load_layer(layer, source);
    }
    agree_on_missing_layers();
    for (Buffer& buffer : buffers_) {
      prepare(buffer);
    }
    std::vector<PanelsPlace> shards;
    for (Int8Panels& shard : shards_) {
      shards.push_back(place_of(shard));
    }
    gather_.emplace(
        layout_, communicator_, Queue{}, std::move(shards),
        std::array<PanelsPlace, 2>{place_of(buffers_[0].panels), place_of(buffers_[1].panels)});
  }

  const LayerWeights& layer(std::int64_t layer, std::int64_t next) override {
    RALLREC_CHECK(layer >= 0 && layer < config_.layers, "there is no such layer");
    Buffer& buffer = buffers_[gather_->bring(layer, next)];
    keep_for_next_start(layer, buffer.panels);
    wide_.enter(layer);
    norms_[static_cast<std::size_t>(layer)].show_in(buffer.weights);
    return buffer.weights;
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

  void embed(const std::vector<std::int64_t>& ids, const Rows& y) override {
    vocabulary_.embed(ids, y);
  }
  const float* final_norm() const override { return vocabulary_.final_norm(); }
  const LmHead& head() const override { return vocabulary_.head(); }
  std::string mode() const override { return name_of(mode_); }
  GatherStatistics gathered() const override { return gather_->statistics(); }
  std::int64_t frozen_bytes() const override {
    return vocabulary_.bytes() + wide_.bytes() +
           config_.layers * layer_norm_bytes(config_.hidden_size) +
           config_.layers * layout_.shard_bytes(communicator_.rank()) +
           static_cast<std::int64_t>(buffers_.size()) * layout_.gathered_bytes();
  }

 private:
  Turn agree(Turn wanted) {
    return static_cast<Turn>(most_passes(static_cast<std::int64_t>(wanted)));
  }

  // A turn of others, with nothing to compute here.
  void serve(Turn turn) {
    const Rows none{nullptr, 0, config_.hidden_size};
    switch (turn) {
      case Turn::kLayers:
        embed({}, none);
        for (std::int64_t l = 0; l < config_.layers; ++l) {
          layer(l, (l + 1) % config_.layers);
        }
        break;
      case Turn::kLogits:
        head().logits(none, {nullptr, 0, config_.vocab_size});
        break;
      case Turn::kLogitsOf:
        head().logits_of(none, {}, {});
        break;
      case Turn::kNone:
        break;
    }
  }

  // Views of the buffer, which never moves.
  void prepare(Buffer& buffer) {
    buffer.panels.bytes.resize(layout_.bytes());
    buffer.panels.scales.resize(layout_.scales());
    view_linears(layout_, mode_, buffer.panels, wide_, buffer.weights);
  }

  // Layers are whole only as they pass by.
  void keep_for_next_start(std::int64_t layer, const Int8Panels& panels) {
    if (cache_.lacks(layer)) {
      cache_.write(layer, layout_, panels.bytes.data(), panels.scales.data());
    }
  }

  void load_layer(std::int64_t layer, const TensorSource& source) {
    norms_.push_back(load_norms(source, layer, config_.hidden_size));
    shards_.push_back(load_panels(config_, layout_, layer, layout_.panels_of(communicator_.rank()),
                                  source, cache_));
  }

  // The rank that writes the cache reads only its own part of each file.
  void agree_on_missing_layers() {
    std::vector<std::int32_t> missing;
    for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
      missing.push_back(cache_.misses(layer) ? 1 : 0);
    }
    communicator_.all_reduce(missing.data(), missing.size(), DType::kInt32,
                             distributed::ReduceOp::kMax);
    for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
      if (missing[static_cast<std::size_t>(layer)] != 0) {
        cache_.miss(layer);
      }
    }
  }

  LlmConfig config_;
  QuantMode mode_;
  distributed::Communicator& communicator_;
  Int8LayerLayout layout_;
  ShardedVocabulary vocabulary_;
  WideLayer wide_;
  std::vector<LayerNorms> norms_;
  std::vector<Int8Panels> shards_;  // what this rank keeps of each layer
  std::array<Buffer, 2> buffers_;
  Int8LayerCache cache_;
  std::optional<Int8LayerGather> gather_;  // after what it looks into, so that it ends before
};

}  // namespace

std::unique_ptr<WeightStore> make_sharded_int8_weights(const LlmConfig& config, QuantMode mode,
                                                       const TensorSource& source,
                                                       Int8LayerCache cache,
                                                       distributed::Communicator& communicator) {
  return std::make_unique<ShardedInt8Weights>(config, mode, source, std::move(cache), communicator);
}

}  // namespace rallrec::models::llm
