#include "tests/models/llm/reference_model.h"

#include <cmath>

namespace rallrec::models::llm {
namespace {

struct Reference {
  const TinyModel& model;
  const LoraAdapter* adapter;
  const at::Tensor& lora;
  const MaskSource& mask;

  at::Tensor weight(const std::string& name) const {
    return model.weights.at(name).to(at::kDouble);
  }

  at::Tensor norm(const at::Tensor& x, const std::string& name) const {
    const at::Tensor mean = x.pow(2).mean(-1, true);
    return x / (mean + model.config.rms_norm_eps).sqrt() * weight(name);
  }

  at::Tensor linear(const at::Tensor& x, std::int64_t layer, Linear which) const {
    at::Tensor y = at::matmul(x, weight(weight_name(layer, which)).t());
    if (adapter == nullptr || !adapter->layout().adapts(which)) {
      return y;
    }
    at::Tensor input = x;
    if (mask) {
      input = x * mask(layer, which, x.size(1));
    }
    const at::Tensor a = lora_a(adapter->layout(), lora, layer, which);
    const at::Tensor b = lora_b(adapter->layout(), lora, layer, which);
    return y + adapter->scale() * at::matmul(at::matmul(input, a.t()), b.t());
  }

  double frequency(std::int64_t pair) const {
    const LlmConfig& c = model.config;
    const double f = std::pow(c.rope_theta, -2.0 * double(pair) / double(c.head_dim));
    const RopeScaling& s = c.rope_scaling;
    const double wavelength = 2.0 * M_PI / f;
    const double low = double(s.original_max_position) / s.low_freq_factor;
    const double high = double(s.original_max_position) / s.high_freq_factor;
    if (s.factor == 1.0 || wavelength < high) {
      return f;
    }
    if (wavelength > low) {
      return f / s.factor;
    }
    const double smooth = (double(s.original_max_position) / wavelength - s.low_freq_factor) /
                          (s.high_freq_factor - s.low_freq_factor);
    return (1.0 - smooth) * f / s.factor + smooth * f;
  }

  // x [tokens, heads, head_dim]
  at::Tensor rotate(const at::Tensor& x) const {
    const std::int64_t half = model.config.head_dim / 2;
    at::Tensor angle = at::empty({x.size(0), 1, half}, at::kDouble);
    for (std::int64_t t = 0; t < x.size(0); ++t) {
      for (std::int64_t c = 0; c < half; ++c) {
        angle[t][0][c] = double(t) * frequency(c);
      }
    }
    const at::Tensor first = x.narrow(2, 0, half);
    const at::Tensor second = x.narrow(2, half, half);
    return at::cat(
        {first * angle.cos() - second * angle.sin(), second * angle.cos() + first * angle.sin()},
        2);
  }

  at::Tensor attention(const at::Tensor& x, std::int64_t layer) const {
    const LlmConfig& c = model.config;
    const std::int64_t t = x.size(0);
    const auto heads = [&](Linear which, std::int64_t count) {
      return linear(x, layer, which).view({t, count, c.head_dim});
    };
    const std::int64_t group = c.heads / c.kv_heads;
    const at::Tensor q = rotate(heads(Linear::kQ, c.heads)).transpose(0, 1);
    const at::Tensor k =
        rotate(heads(Linear::kK, c.kv_heads)).repeat_interleave(group, 1).transpose(0, 1);
    const at::Tensor v = heads(Linear::kV, c.kv_heads).repeat_interleave(group, 1).transpose(0, 1);
    const at::Tensor causal = at::ones({t, t}, at::kBool).triu(1);
    const at::Tensor scores = (at::matmul(q, k.transpose(1, 2)) / std::sqrt(double(c.head_dim)))
                                  .masked_fill(causal, -INFINITY);
    const at::Tensor o = at::matmul(scores.softmax(-1), v).transpose(0, 1);
    return linear(o.reshape({t, c.heads * c.head_dim}), layer, Linear::kO);
  }

  at::Tensor mlp(const at::Tensor& x, std::int64_t layer) const {
    const at::Tensor gate = linear(x, layer, Linear::kGate);
    return linear(gate * gate.sigmoid() * linear(x, layer, Linear::kUp), layer, Linear::kDown);
  }
};

}  // namespace

at::Tensor reference_hidden(const TinyModel& model, const std::vector<std::int64_t>& ids,
                            const LoraAdapter* adapter, const at::Tensor& lora,
                            const MaskSource& mask) {
  const Reference r{model, adapter, lora, mask};
  at::Tensor x = r.weight("model.embed_tokens.weight").index_select(0, at::tensor(ids, at::kLong));
  for (std::int64_t l = 0; l < model.config.layers; ++l) {
    const std::string prefix = "model.layers." + std::to_string(l) + ".";
    x = x + r.attention(r.norm(x, prefix + "input_layernorm.weight"), l);
    x = x + r.mlp(r.norm(x, prefix + "post_attention_layernorm.weight"), l);
  }
  return r.norm(x, "model.norm.weight");
}

at::Tensor reference_logits(const TinyModel& model, const at::Tensor& hidden) {
  const char* name = model.config.tied_embeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  return at::matmul(hidden, model.weights.at(name).to(at::kDouble).t());
}

at::Tensor reference_mask(DropoutKey key, double rate, std::int64_t sample, std::int64_t tokens,
                          std::int64_t layer, Linear linear, std::int64_t channels) {
  const auto words = philox4x32(
      key.seed, {std::uint32_t(key.epoch), std::uint32_t(key.epoch >> 32), 0x64726F70, 0});
  const std::uint64_t stream_key = std::uint64_t{words[0]} << 32 | words[1];
  at::Tensor mask = at::empty({tokens, channels}, at::kDouble);
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto draw =
          philox4x32(stream_key, {std::uint32_t(c / 8), std::uint32_t(t), std::uint32_t(sample),
                                  std::uint32_t(layer * 16 + std::int64_t(linear))});
      const std::uint32_t bits = draw[std::size_t(c % 8 / 2)] >> (16 * (c % 2)) & 0xFFFF;
      mask[t][c] = bits < std::lround(rate * 65536) ? 0.0 : 1.0 / (1.0 - rate);
    }
  }
  return mask;
}

}  // namespace rallrec::models::llm
