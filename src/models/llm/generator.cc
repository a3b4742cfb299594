#include "models/llm/generator.h"

#include <algorithm>
#include <numeric>

#include "distributed/flight_marks.h"
#include "models/llm/token_sampler.h"
#include "ops/decoder_ops.h"

namespace rallrec::models::llm {
namespace {

// Prompt tokens that go through a layer in one call: bounds the scratch memory.
constexpr std::int64_t kPrefillTokens = 4096;

std::int64_t length_of(const GenerationPrompt& prompt) {
  return static_cast<std::int64_t>(prompt.ids.size());
}

std::int64_t common_start(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

kernels::AttentionPrefix prefix_of(const Rows& k, const Rows& v) {
  return {k.data, v.data, k.rows};
}

}  // namespace

Generator::Generator(const GeneratorModel& model, const std::vector<GenerationPrompt>& prompts,
                     const GenerationOptions& options)
    : model_(model), prompts_(prompts), options_(options), generated_(prompts.size()) {}

std::vector<std::vector<std::int64_t>> Generator::run() {
  if (prompts_.empty() || options_.max_new_tokens <= 0) {
    return generated_;
  }
  const ArenaScope scope(model_.cache);
  find_prefix();
  allocate_cache();
  fill_prefix();
  active_.resize(prompts_.size());
  std::iota(active_.begin(), active_.end(), std::size_t{0});
  choose(fill_prompts());
  while (!active_.empty()) {
    const ArenaScope step_scope(model_.cache);
    choose(step());
  }
  return generated_;
}

// Every prompt keeps two tokens of its own or more, the last one of which gives the first new
// token, and the prefix has two: a single query's attention sums in another order, and a text is
// not to depend on the prompts beside it.
void Generator::find_prefix() {
  prefix_ = length_of(prompts_.front()) - 2;
  std::int64_t longest = 0;
  for (const GenerationPrompt& prompt : prompts_) {
    prefix_ =
        std::min({prefix_, length_of(prompt) - 2, common_start(prompt.ids, prompts_.front().ids)});
    longest = std::max(longest, length_of(prompt));
  }
  prefix_ = prefix_ < 2 ? 0 : prefix_;
  capacity_ = longest - prefix_ + options_.max_new_tokens - 1;
}

void Generator::allocate_cache() {
  const std::int64_t width = model_.config.kv_heads * model_.config.head_dim;
  const auto slots = static_cast<std::int64_t>(prompts_.size());
  for (std::int64_t layer = 0; layer < model_.config.layers; ++layer) {
    cache_.push_back({model_.cache.floats(prefix_, width), model_.cache.floats(prefix_, width),
                      model_.cache.floats(slots * capacity_, width),
                      model_.cache.floats(slots * capacity_, width)});
  }
}

const LayerWeights& Generator::weights_of(std::int64_t layer) {
  distributed::mark_phase(distributed::Phase::kForward, layer);
  return model_.weights.layer(layer, (layer + 1) % model_.config.layers);
}

Rows Generator::embed(const std::vector<std::int64_t>& ids) {
  const Rows hidden =
      model_.cache.floats(static_cast<std::int64_t>(ids.size()), model_.config.hidden_size);
  model_.weights.begin(Turn::kLayers);
  model_.weights.embed(ids, hidden);
  return hidden;
}

// The prefix goes through the layers as one sequence of the cache's own rows, which are then its
// place in no slot: the rows are copied out per layer.
void Generator::fill_prefix() {
  if (prefix_ == 0) {
    return;
  }
  const ArenaScope scope(model_.cache);
  const auto& ids = prompts_.front().ids;
  const PackedBatch batch{{ids.begin(), ids.begin() + prefix_}, {0, prefix_}};
  const PackedLayout layout = make_layout(batch, model_.scratch.queue());
  const Rows hidden = embed(batch.ids);
  const LlmConfig& config = model_.config;
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const ArenaScope layer_scope(model_.scratch);
    const LayerLora lora = plain_lora(model_.adapter, layer);
    const LayerCall call{config, weights_of(layer), model_.rope, layout, layout.rows,
                         lora,   model_.scratch};
    const LayerCache& cache = cache_[static_cast<std::size_t>(layer)];
    const Rows q = model_.scratch.floats(prefix_, config.heads * config.head_dim);
    const Rows o = model_.scratch.floats(prefix_, config.heads * config.head_dim);
    attention_inputs(call, hidden, q, cache.prefix_k, cache.prefix_v);
    ops::attention(model_.scratch.queue(), attention_shape(config), layout.rows.sequences, {}, q,
                   cache.prefix_k, cache.prefix_v, o, {});
    attention_output_and_mlp(call, o, hidden);
  }
}

std::size_t Generator::chunk_end(std::size_t begin) const {
  std::int64_t tokens = 0;
  std::size_t end = begin;
  while (end < prompts_.size()) {
    tokens += length_of(prompts_[end]) - prefix_;
    if (end > begin && tokens > kPrefillTokens) {
      break;
    }
    ++end;
  }
  return end;
}

// The tokens after the prefix of prompts [begin, end), packed.
Generator::Tokens Generator::tokens_of(std::size_t begin, std::size_t end) const {
  Tokens tokens(model_.scratch.queue());
  BatchRows& rows = tokens.layout.rows;
  std::vector<std::int64_t> positions;
  std::vector<std::int64_t> cache_rows;
  for (std::size_t i = begin; i < end; ++i) {
    const std::int64_t own = length_of(prompts_[i]) - prefix_;
    const std::int64_t slot = static_cast<std::int64_t>(i) * capacity_;
    rows.sequences.push_back({static_cast<std::int64_t>(positions.size()), own, slot, own});
    for (std::int64_t t = 0; t < own; ++t) {
      positions.push_back(prefix_ + t);
      cache_rows.push_back(slot + t);
    }
  }
  rows.positions.assign(positions);
  tokens.cache_rows.assign(cache_rows);
  return tokens;
}

// Returns the hidden state of each prompt's last token.
Rows Generator::fill_prompts() {
  const Rows last =
      model_.cache.floats(static_cast<std::int64_t>(prompts_.size()), model_.config.hidden_size);
  for (std::size_t begin = 0; begin < prompts_.size();) {
    const ArenaScope scope(model_.cache);
    const std::size_t end = chunk_end(begin);
    std::vector<std::int64_t> ids;
    for (std::size_t i = begin; i < end; ++i) {
      ids.insert(ids.end(), prompts_[i].ids.begin() + prefix_, prompts_[i].ids.end());
    }
    const Tokens tokens = tokens_of(begin, end);
    const Rows hidden = embed(ids);
    run_layers(tokens, hidden);
    for (std::size_t i = begin; i < end; ++i) {
      const kernels::AttentionSequence& sequence = tokens.layout.rows.sequences[i - begin];
      ops::copy_rows(model_.cache.queue(),
                     hidden.part(sequence.query_begin + sequence.queries - 1, 1),
                     last.part(static_cast<std::int64_t>(i), 1));
    }
    begin = end;
  }
  return last;
}

void Generator::run_layers(const Tokens& tokens, const Rows& hidden) {
  for (std::int64_t layer = 0; layer < model_.config.layers; ++layer) {
    run_layer(layer, tokens, hidden);
  }
}

void Generator::run_layer(std::int64_t layer, const Tokens& tokens, const Rows& hidden) {
  const ArenaScope scope(model_.scratch);
  const LlmConfig& config = model_.config;
  const Queue& queue = model_.scratch.queue();
  const BatchRows& rows = tokens.layout.rows;
  const std::int64_t kv_width = config.kv_heads * config.head_dim;
  const LayerLora lora = plain_lora(model_.adapter, layer);
  const LayerCall call{config, weights_of(layer), model_.rope, tokens.layout, rows,
                       lora,   model_.scratch};
  const Rows q = model_.scratch.floats(hidden.rows, config.heads * config.head_dim);
  const Rows k = model_.scratch.floats(hidden.rows, kv_width);
  const Rows v = model_.scratch.floats(hidden.rows, kv_width);
  const Rows o = model_.scratch.floats(hidden.rows, config.heads * config.head_dim);
  attention_inputs(call, hidden, q, k, v);
  const LayerCache& cache = cache_[static_cast<std::size_t>(layer)];
  ops::copy_to_chosen_rows(queue, tokens.cache_rows.data(), k, cache.k);
  ops::copy_to_chosen_rows(queue, tokens.cache_rows.data(), v, cache.v);
  ops::attention(queue, attention_shape(config), rows.sequences,
                 prefix_of(cache.prefix_k, cache.prefix_v), q, cache.k, cache.v, o, {});
  attention_output_and_mlp(call, o, hidden);
}

void Generator::choose(const Rows& last_hidden) {
  ops::rms_norm(model_.scratch.queue(), last_hidden, model_.weights.final_norm(),
                model_.config.rms_norm_eps, last_hidden, {});
  model_.weights.begin(Turn::kLogits);
  const std::int64_t vocabulary = model_.config.vocab_size;
  std::vector<float> logits(static_cast<std::size_t>(last_hidden.rows * vocabulary));
  model_.weights.head().logits(last_hidden, {logits.data(), last_hidden.rows, vocabulary});
  model_.weights.confirm();
  const std::int64_t known =
      options_.vocabulary > 0 ? std::min(options_.vocabulary, vocabulary) : vocabulary;
  std::vector<std::size_t> going_on;
  for (std::size_t row = 0; row < active_.size(); ++row) {
    const std::size_t prompt = active_[row];
    std::vector<std::int64_t>& text = generated_[prompt];
    const float* scores = logits.data() + static_cast<std::int64_t>(row) * vocabulary;
    const std::int64_t id = next_id(scores, known, options_, prompts_[prompt].index, text.size());
    const auto& stops = options_.stop_ids;
    if (std::find(stops.begin(), stops.end(), id) != stops.end()) {
      continue;
    }
    text.push_back(id);
    if (static_cast<std::int64_t>(text.size()) < options_.max_new_tokens) {
      going_on.push_back(prompt);
    }
  }
  active_ = std::move(going_on);
}

// One token of each active sequence through all layers.
Rows Generator::step() {
  Tokens tokens(model_.scratch.queue());
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> positions;
  std::vector<std::int64_t> cache_rows;
  for (std::size_t prompt : active_) {
    const auto grown = static_cast<std::int64_t>(generated_[prompt].size());
    const std::int64_t keys = length_of(prompts_[prompt]) - prefix_ + grown;
    const std::int64_t slot = static_cast<std::int64_t>(prompt) * capacity_;
    tokens.layout.rows.sequences.push_back({static_cast<std::int64_t>(ids.size()), 1, slot, keys});
    cache_rows.push_back(slot + keys - 1);
    positions.push_back(prefix_ + keys - 1);
    ids.push_back(generated_[prompt].back());
  }
  tokens.layout.rows.positions.assign(positions);
  tokens.cache_rows.assign(cache_rows);
  const Rows hidden = embed(ids);
  run_layers(tokens, hidden);
  return hidden;
}

}  // namespace rallrec::models::llm
