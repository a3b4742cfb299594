// The passes of LlamaDecoder over micro-batches with labels: forward_backward and label_losses.
#include "core/check.h"
#include "models/llm/kept_bytes.h"
#include "models/llm/layer_scope.h"
#include "models/llm/llama_decoder.h"
#include "models/llm/waves.h"
#include "ops/decoder_ops.h"

namespace rallrec::models::llm {
namespace {

MicroBatchRows rows_of(const MicroBatch& micro_batch) {
  return {micro_batch.batch.tokens(), static_cast<std::int64_t>(micro_batch.label_ids.size())};
}

LayerLora lora_with_dropout(const LoraWeights& adapter, std::int64_t layer,
                            const MicroBatch& micro_batch, DropoutKey key) {
  return {&adapter, layer, &micro_batch.samples, key};
}

}  // namespace

bool LlamaDecoder::recomputes(const MicroBatch& micro_batch, const LoraLayout& adapter) const {
  return kept_bytes(config_, adapter.options(), rows_of(micro_batch), false) > kept_bytes_;
}

std::vector<std::size_t> LlamaDecoder::wave_cuts(const std::vector<MicroBatch>& micro_batches,
                                                 const LoraLayout& adapter) {
  const std::int64_t gradient = gradient_bytes(config_, adapter.options());
  std::vector<std::int64_t> bytes;
  for (const MicroBatch& micro_batch : micro_batches) {
    bytes.push_back(gradient + kept_bytes(config_, adapter.options(), rows_of(micro_batch),
                                          recomputes(micro_batch, adapter)));
  }
  std::vector<std::size_t> cuts = cut_waves(bytes, kept_bytes_);
  // A rank with fewer waves goes through the layers as often as the others, with nothing to
  // compute.
  const std::int64_t waves = weights_->most_passes(static_cast<std::int64_t>(cuts.size()) - 1);
  cuts.resize(static_cast<std::size_t>(waves) + 1, micro_batches.size());
  return cuts;
}

void LlamaDecoder::forward_backward(const std::vector<MicroBatch>& micro_batches,
                                    const LoraWeights& adapter, DropoutKey key, double loss_scale,
                                    const std::function<void(Result)>& take) {
  const std::vector<std::size_t> cuts = wave_cuts(micro_batches, adapter.layout);
  for (std::size_t w = 0; w + 1 < cuts.size(); ++w) {
    std::vector<Passage> wave =
        start(micro_batches.data() + cuts[w], micro_batches.data() + cuts[w + 1]);
    run_wave(wave, adapter, key, loss_scale);
    for (Passage& passage : wave) {
      take(std::move(passage.result));
    }
  }
}

std::vector<LlamaDecoder::Passage> LlamaDecoder::start(const MicroBatch* begin,
                                                       const MicroBatch* end) {
  std::vector<Passage> passages;
  while (begin != end) {
    RALLREC_CHECK(begin->label_positions.size() == begin->label_ids.size(),
                  "MicroBatch: one id per label position");
    Passage passage;
    passage.micro_batch = begin++;
    passage.layout = prepare(passage.micro_batch->batch);
    passage.labels = choose_rows(passage.layout, passage.micro_batch->label_positions);
    passages.push_back(std::move(passage));
  }
  return passages;
}

LayerCall LlamaDecoder::call_of(const Passage& passage, std::int64_t layer,
                                const LayerWeights& weights, const LayerLora& lora) {
  const bool last = layer + 1 == config_.layers;
  const BatchRows& queries = last ? passage.labels : passage.layout.rows;
  return {config_, weights, rope_, passage.layout, queries, lora, scratch_};
}

void LlamaDecoder::embed(std::vector<Passage>& passages) {
  std::vector<std::int64_t> ids;
  for (const Passage& passage : passages) {
    const auto& own = passage.micro_batch->batch.ids;
    ids.insert(ids.end(), own.begin(), own.end());
  }
  const Rows hidden = kept_.floats(static_cast<std::int64_t>(ids.size()), config_.hidden_size);
  weights_->embed(ids, hidden);
  std::int64_t begin = 0;
  for (Passage& passage : passages) {
    const std::int64_t tokens = passage.micro_batch->batch.tokens();
    passage.hidden = hidden.part(begin, tokens);
    begin += tokens;
  }
}

void LlamaDecoder::run_wave(std::vector<Passage>& wave, const LoraWeights& adapter, DropoutKey key,
                            double loss_scale) {
  const ArenaScope scope(kept_);
  for (Passage& passage : wave) {
    const PackedBatch& batch = passage.micro_batch->batch;
    RALLREC_CHECK(passage.micro_batch->samples.size() + 1 == batch.offsets.size(),
                  "MicroBatch: one sample per sequence");
    RALLREC_CHECK(!batch.first_is_prefix, "forward_backward: a prefix is not shared here");
    passage.kept.resize(static_cast<std::size_t>(config_.layers));
    passage.recompute = recomputes(*passage.micro_batch, adapter.layout);
    passage.result.gradient = DeviceArray<float>(queue_, "tune.lora_r");
    passage.result.gradient.assign_zeros(static_cast<std::size_t>(adapter.layout.parameters()));
  }
  embed(wave);
  forward_wave(wave, adapter, key);
  losses_and_gradients(wave, loss_scale);
  backward_wave(wave, adapter, key);
}

void LlamaDecoder::forward_wave(std::vector<Passage>& wave, const LoraWeights& adapter,
                                DropoutKey key) {
  for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
    const LayerScope turn(layer, distributed::Phase::kForward);
    const LayerWeights& weights = weights_->layer(layer, layer + 1);
    for (Passage& passage : wave) {
      const LayerLora lora = lora_with_dropout(adapter, layer, *passage.micro_batch, key);
      const LayerCall call = call_of(passage, layer, weights, lora);
      KeptActivations& kept = passage.kept[static_cast<std::size_t>(layer)];
      if (!passage.recompute) {
        passage.hidden = layer_forward_keep(call, passage.hidden, kept_, kept);
        continue;
      }
      kept.input = passage.hidden;
      passage.hidden = kept_.floats(call.queries.count(), config_.hidden_size);
      layer_forward(call, kept.input, passage.hidden);
    }
  }
}

void LlamaDecoder::backward_wave(std::vector<Passage>& wave, const LoraWeights& adapter,
                                 DropoutKey key) {
  for (std::int64_t layer = config_.layers - 1; layer >= 0; --layer) {
    const LayerScope turn(layer, distributed::Phase::kBackward);
    const LayerWeights& weights = weights_->layer(layer, layer - 1);
    for (Passage& passage : wave) {
      const LayerLora lora = lora_with_dropout(adapter, layer, *passage.micro_batch, key);
      const LayerCall call = call_of(passage, layer, weights, lora);
      KeptActivations& kept = passage.kept[static_cast<std::size_t>(layer)];
      const ArenaScope scope(kept_);
      if (passage.recompute) {
        layer_forward_keep(call, kept.input, kept_, kept);
      }
      passage.hidden =
          layer_backward(call, kept, layer == 0, passage.hidden, passage.result.gradient.data());
      kept = {};
    }
  }
}

LlamaDecoder::LabelRows LlamaDecoder::label_rows(const std::vector<Passage>& passages) {
  LabelRows rows;
  for (const Passage& passage : passages) {
    const auto& own = passage.micro_batch->label_ids;
    rows.ids.insert(rows.ids.end(), own.begin(), own.end());
  }
  rows.hidden = kept_.floats(static_cast<std::int64_t>(rows.ids.size()), config_.hidden_size);
  std::int64_t begin = 0;
  for (const Passage& passage : passages) {
    ops::copy_rows(queue_, passage.hidden, rows.hidden.part(begin, passage.hidden.rows));
    begin += passage.hidden.rows;
  }
  return rows;
}

// Final norm, head and loss on the label rows of the whole wave, since few rows cost as much as
// many; passage.hidden becomes the gradient below them.
void LlamaDecoder::losses_and_gradients(std::vector<Passage>& wave, double loss_scale) {
  const LabelRows labels = label_rows(wave);
  const Rows& rows = labels.hidden;
  const Rows normed = kept_.floats(rows.rows, rows.columns);
  const Rows inverse_rms = kept_.floats(rows.rows, 1);
  ops::rms_norm(queue_, rows, weights_->final_norm(), config_.rms_norm_eps, normed, inverse_rms);
  const Rows d_rows = kept_.floats(rows.rows, rows.columns);
  const std::vector<float> losses = weights_->head().losses(normed, labels.ids, loss_scale, d_rows);
  weights_->confirm();
  ops::rms_norm_backward(queue_, rows, weights_->final_norm(), inverse_rms, d_rows, {}, d_rows);
  std::int64_t begin = 0;
  for (Passage& passage : wave) {
    const std::int64_t count = passage.labels.count();
    passage.result.label_losses.assign(losses.begin() + begin, losses.begin() + begin + count);
    passage.hidden = d_rows.part(begin, count);
    begin += count;
  }
}

std::vector<std::vector<float>> LlamaDecoder::label_losses(
    const std::vector<MicroBatch>& micro_batches, const LoraWeights* adapter) {
  const ArenaScope scope(kept_);
  std::vector<Passage> passages =
      start(micro_batches.data(), micro_batches.data() + micro_batches.size());
  embed(passages);
  for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
    const LayerWeights& weights = weights_->layer(layer, after(layer));
    const LayerLora lora = plain_lora(adapter, layer);
    for (Passage& passage : passages) {
      const Rows input = passage.hidden;
      if (layer + 1 == config_.layers) {
        passage.hidden = kept_.floats(passage.labels.count(), config_.hidden_size);
      }
      layer_forward(call_of(passage, layer, weights, lora), input, passage.hidden);
    }
  }
  const LabelRows labels = label_rows(passages);
  apply_final_norm(labels.hidden);
  const std::vector<float> all = weights_->head().losses(labels.hidden, labels.ids, 1.0, {});
  weights_->confirm();
  std::vector<std::vector<float>> losses;
  auto next = all.begin();
  for (const MicroBatch& micro_batch : micro_batches) {
    const auto count = static_cast<std::ptrdiff_t>(micro_batch.label_ids.size());
    losses.emplace_back(next, next + count);
    next += count;
  }
  return losses;
}

}  // namespace rallrec::models::llm
