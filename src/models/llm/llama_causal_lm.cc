#include "models/llm/llama_causal_lm.h"

#include "core/check.h"
#include "core/error.h"
#include "models/llm/generator.h"
#include "models/llm/waves.h"
#include "ops/decoder_ops.h"

namespace rallrec::models::llm {
namespace {

void check_batch(const PackedBatch& batch, const LlmConfig& config) {
  RALLREC_CHECK(!batch.offsets.empty() && batch.offsets.front() == 0 &&
                    batch.offsets.back() == batch.tokens(),
                "PackedBatch: the offsets do not cover the ids");
  for (std::size_t s = 1; s < batch.offsets.size(); ++s) {
    RALLREC_CHECK(batch.offsets[s] > batch.offsets[s - 1], "PackedBatch: a sequence is empty");
  }
  for (std::int64_t id : batch.ids) {
    if (id < 0 || id >= config.vocab_size) {
      throw Error(ExitCode::kBadData, "token id " + std::to_string(id) +
                                          " is not in the model's vocabulary of " +
                                          std::to_string(config.vocab_size));
    }
  }
}

at::Tensor rows_at(const at::Tensor& x, const std::vector<std::int64_t>& positions) {
  return x.index_select(0, at::tensor(positions, at::kLong));
}

}  // namespace

LlamaCausalLm::LlamaCausalLm(const LlmConfig& config, std::unique_ptr<WeightStore> weights)
    : config_(config), weights_(std::move(weights)), rope_(config) {}

PackedLayout LlamaCausalLm::prepare(const PackedBatch& batch) {
  check_batch(batch, config_);
  PackedLayout layout = make_layout(batch);
  if (layout.longest > config_.max_position) {
    throw Error(ExitCode::kBadData, "a sequence of " + std::to_string(layout.longest) +
                                        " tokens is longer than the model's " +
                                        std::to_string(config_.max_position) + " positions");
  }
  rope_.reserve(layout.longest);
  return layout;
}

at::Tensor LlamaCausalLm::run_layers(const PackedBatch& batch, const PackedLayout& layout,
                                     const LoraAdapter* adapter, std::int64_t layers) {
  at::Tensor hidden = at::empty({batch.tokens(), config_.hidden_size}, at::kFloat);
  weights_->begin(Turn::kLayers);
  weights_->embed(batch.ids, hidden);
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const LayerLora lora = plain_lora(adapter, layer);
    const LayerWeights& weights = weights_->layer(layer, after(layer));
    layer_forward({config_, weights, rope_, layout, lora, scratch_}, hidden);
  }
  return hidden;
}

at::Tensor LlamaCausalLm::hidden_states(const PackedBatch& batch, const LoraAdapter* adapter) {
  const at::Tensor hidden = run_layers(batch, prepare(batch), adapter, config_.layers);
  ops::rms_norm(hidden, weights_->final_norm(), config_.rms_norm_eps, hidden, {});
  return hidden;
}

at::Tensor LlamaCausalLm::hidden_states_at(const PackedBatch& batch,
                                           const std::vector<std::int64_t>& positions,
                                           const LoraAdapter* adapter) {
  const PackedLayout layout = prepare(batch);
  const std::int64_t last = config_.layers - 1;
  const at::Tensor hidden = run_layers(batch, layout, adapter, last);
  const LayerLora lora = plain_lora(adapter, last);
  const LayerWeights& weights = weights_->layer(last, after(last));
  const at::Tensor rows =
      layer_forward_at({config_, weights, rope_, layout, lora, scratch_}, hidden, positions);
  ops::rms_norm(rows, weights_->final_norm(), config_.rms_norm_eps, rows, {});
  return rows;
}

at::Tensor LlamaCausalLm::logits(const at::Tensor& hidden_rows) {
  weights_->begin(Turn::kLogits);
  return weights_->head().logits(hidden_rows);
}

at::Tensor LlamaCausalLm::logits_of(const at::Tensor& hidden_rows,
                                    const std::vector<std::int64_t>& ids) {
  weights_->begin(Turn::kLogitsOf);
  return weights_->head().logits_of(hidden_rows, ids);
}

std::int64_t LlamaCausalLm::bytes_of(const MicroBatch& micro_batch, bool recompute) const {
  return models::llm::kept_bytes(config_, micro_batch.batch.tokens(), recompute);
}

std::vector<std::size_t> LlamaCausalLm::wave_cuts(const std::vector<MicroBatch>& micro_batches) {
  std::vector<std::int64_t> bytes;
  for (const MicroBatch& micro_batch : micro_batches) {
    bytes.push_back(bytes_of(micro_batch, recomputes(micro_batch)));
  }
  std::vector<std::size_t> cuts = cut_waves(bytes, kept_bytes_);
  // A rank with fewer waves goes through the layers as often as the others, with nothing to
  // compute.
  const std::int64_t waves = weights_->most_passes(static_cast<std::int64_t>(cuts.size()) - 1);
  cuts.resize(static_cast<std::size_t>(waves) + 1, micro_batches.size());
  return cuts;
}

std::vector<MicroBatchResult> LlamaCausalLm::forward_backward(
    const std::vector<MicroBatch>& micro_batches, const LoraAdapter& adapter, DropoutKey key,
    double loss_scale) {
  std::vector<MicroBatchResult> results;
  const std::vector<std::size_t> cuts = wave_cuts(micro_batches);
  for (std::size_t w = 0; w + 1 < cuts.size(); ++w) {
    std::vector<Passage> wave(cuts[w + 1] - cuts[w]);
    for (std::size_t i = 0; i < wave.size(); ++i) {
      wave[i].micro_batch = &micro_batches[cuts[w] + i];
    }
    run_wave(wave, adapter, key, loss_scale);
    for (Passage& passage : wave) {
      results.push_back(std::move(passage.result));
    }
  }
  return results;
}

void LlamaCausalLm::embed(std::vector<Passage>& passages) {
  std::vector<std::int64_t> ids;
  for (const Passage& passage : passages) {
    const auto& own = passage.micro_batch->batch.ids;
    ids.insert(ids.end(), own.begin(), own.end());
  }
  const at::Tensor hidden =
      kept_.floats(static_cast<std::int64_t>(ids.size()), config_.hidden_size);
  weights_->embed(ids, hidden);
  std::int64_t begin = 0;
  for (Passage& passage : passages) {
    const std::int64_t tokens = passage.micro_batch->batch.tokens();
    passage.hidden = hidden.narrow(0, begin, tokens);
    begin += tokens;
  }
}

void LlamaCausalLm::run_wave(std::vector<Passage>& wave, const LoraAdapter& adapter, DropoutKey key,
                             double loss_scale) {
  const ArenaScope scope(kept_);
  for (Passage& passage : wave) {
    const PackedBatch& batch = passage.micro_batch->batch;
    RALLREC_CHECK(passage.micro_batch->samples.size() + 1 == batch.offsets.size(),
                  "MicroBatch: one sample per sequence");
    RALLREC_CHECK(!batch.first_is_prefix, "forward_backward: a prefix is not shared here");
    passage.layout = prepare(batch);
    passage.kept.resize(static_cast<std::size_t>(config_.layers));
    passage.recompute = recomputes(*passage.micro_batch);
    passage.result.gradient = at::zeros({adapter.layout().parameters()}, at::kFloat);
  }
  embed(wave);
  forward_wave(wave, adapter, key);
  losses_and_gradients(wave, loss_scale);
  backward_wave(wave, adapter, key);
}

void LlamaCausalLm::forward_wave(std::vector<Passage>& wave, const LoraAdapter& adapter,
                                 DropoutKey key) {
  for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
    const LayerWeights& weights = weights_->layer(layer, layer + 1);
    for (Passage& passage : wave) {
      const LayerLora lora{&adapter, layer, &passage.micro_batch->samples,
                           &passage.micro_batch->batch.offsets, key};
      const LayerCall call{config_, weights, rope_, passage.layout, lora, scratch_};
      KeptActivations& kept = passage.kept[static_cast<std::size_t>(layer)];
      if (!passage.recompute) {
        passage.hidden = layer_forward_keep(call, passage.hidden, kept_, kept);
        continue;
      }
      kept.input = passage.hidden;
      passage.hidden = kept_.floats(kept.input.size(0), kept.input.size(1));
      passage.hidden.copy_(kept.input);
      layer_forward(call, passage.hidden);
    }
  }
}

void LlamaCausalLm::backward_wave(std::vector<Passage>& wave, const LoraAdapter& adapter,
                                  DropoutKey key) {
  for (std::int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const LayerWeights& weights = weights_->layer(layer, layer - 1);
    for (Passage& passage : wave) {
      const LayerLora lora{&adapter, layer, &passage.micro_batch->samples,
                           &passage.micro_batch->batch.offsets, key};
      const LayerCall call{config_, weights, rope_, passage.layout, lora, scratch_};
      KeptActivations& kept = passage.kept[static_cast<std::size_t>(layer)];
      const ArenaScope scope(kept_);
      if (passage.recompute) {
        layer_forward_keep(call, kept.input, kept_, kept);
      }
      layer_backward(call, kept, layer == 0, passage.hidden, passage.result.gradient);
      kept = {};
    }
  }
}

LlamaCausalLm::LabelRows LlamaCausalLm::label_rows(const std::vector<Passage>& passages,
                                                   bool chosen) const {
  // Passages may be none.
  std::vector<at::Tensor> parts = {at::empty({0, config_.hidden_size}, at::kFloat)};
  LabelRows rows;
  for (const Passage& passage : passages) {
    parts.push_back(chosen ? passage.hidden
                           : rows_at(passage.hidden, passage.micro_batch->label_positions));
    const auto& own = passage.micro_batch->label_ids;
    rows.ids.insert(rows.ids.end(), own.begin(), own.end());
  }
  rows.hidden = at::cat(parts);
  return rows;
}

// Final norm, head and loss on the label rows of the whole wave, since few rows cost as much as
// many; passage.hidden becomes the gradient below them.
void LlamaCausalLm::losses_and_gradients(std::vector<Passage>& wave, double loss_scale) {
  const LabelRows labels = label_rows(wave, false);
  const at::Tensor& rows = labels.hidden;
  const at::Tensor normed = at::empty_like(rows);
  const at::Tensor inverse_rms = at::empty({rows.size(0), 1}, rows.options());
  ops::rms_norm(rows, weights_->final_norm(), config_.rms_norm_eps, normed, inverse_rms);
  const at::Tensor d_rows = at::empty_like(rows);
  const std::vector<float> losses = weights_->head().losses(normed, labels.ids, loss_scale, d_rows);
  ops::rms_norm_backward(rows, weights_->final_norm(), inverse_rms, d_rows, {}, d_rows);
  std::int64_t begin = 0;
  for (Passage& passage : wave) {
    const auto& positions = passage.micro_batch->label_positions;
    const auto count = static_cast<std::int64_t>(positions.size());
    passage.result.label_losses.assign(losses.begin() + begin, losses.begin() + begin + count);
    passage.hidden.zero_();
    passage.hidden.index_add_(0, at::tensor(positions, at::kLong), d_rows.narrow(0, begin, count));
    begin += count;
  }
}

std::vector<std::vector<float>> LlamaCausalLm::label_losses(
    const std::vector<MicroBatch>& micro_batches, const LoraAdapter* adapter) {
  const ArenaScope scope(kept_);
  std::vector<Passage> passages(micro_batches.size());
  for (std::size_t i = 0; i < passages.size(); ++i) {
    passages[i].micro_batch = &micro_batches[i];
    passages[i].layout = prepare(micro_batches[i].batch);
  }
  embed(passages);
  for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
    const LayerWeights& weights = weights_->layer(layer, after(layer));
    const LayerLora lora = plain_lora(adapter, layer);
    for (Passage& passage : passages) {
      const LayerCall call{config_, weights, rope_, passage.layout, lora, scratch_};
      if (layer + 1 < config_.layers) {
        layer_forward(call, passage.hidden);
      } else {
        passage.hidden =
            layer_forward_at(call, passage.hidden, passage.micro_batch->label_positions);
      }
    }
  }
  const LabelRows labels = label_rows(passages, true);
  ops::rms_norm(labels.hidden, weights_->final_norm(), config_.rms_norm_eps, labels.hidden, {});
  const std::vector<float> all = weights_->head().losses(labels.hidden, labels.ids, 1.0, {});
  std::vector<std::vector<float>> losses;
  auto next = all.begin();
  for (const MicroBatch& micro_batch : micro_batches) {
    const auto count = static_cast<std::ptrdiff_t>(micro_batch.label_ids.size());
    losses.emplace_back(next, next + count);
    next += count;
  }
  return losses;
}

std::vector<std::vector<std::int64_t>> LlamaCausalLm::generate(
    const std::vector<GenerationPrompt>& prompts, const GenerationOptions& options,
    const LoraAdapter* adapter) {
  for (const GenerationPrompt& prompt : prompts) {
    const auto length = static_cast<std::int64_t>(prompt.ids.size());
    const PackedLayout layout = prepare({prompt.ids, {0, length}});
    rope_.reserve(layout.longest + options.max_new_tokens);
  }
  return Generator({config_, *weights_, rope_, scratch_, kept_, adapter}, prompts, options).run();
}

}  // namespace rallrec::models::llm
