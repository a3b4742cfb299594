#include "models/llm/lora_adapter.h"

#include <cmath>

#include "core/rng.h"

namespace rallrec::models::llm {
namespace {

at::Tensor view_of(const at::Tensor& flat, const LoraMatrix& m) {
  return m.columns > 0 ? flat.narrow(0, m.offset, m.rows * m.columns).view({m.rows, m.columns})
                       : at::Tensor();
}

}  // namespace

at::Tensor lora_a(const LoraLayout& layout, const at::Tensor& flat, std::int64_t layer,
                  Linear linear) {
  return view_of(flat, layout.a(layer, linear));
}

at::Tensor lora_b(const LoraLayout& layout, const at::Tensor& flat, std::int64_t layer,
                  Linear linear) {
  return view_of(flat, layout.b(layer, linear));
}

LoraAdapter::LoraAdapter(const LlmConfig& config, const LoraOptions& options, std::uint64_t seed)
    : layout_(config, options), flat_(at::zeros({layout_.parameters()}, at::kFloat)) {
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    for (const std::string& module : options.modules) {
      const Linear linear = linear_named(module);
      const at::Tensor matrix = lora_a(layout_, flat_, layer, linear);
      // Kaiming's bound with a = sqrt(5) is gain · sqrt(3 / in) = sqrt(1 / in).
      const float bound = 1.0F / std::sqrt(static_cast<float>(matrix.size(1)));
      Rng rng(seed, static_cast<std::uint64_t>(layer) * kLinearCount +
                        static_cast<std::uint64_t>(linear));
      float* values = matrix.data_ptr<float>();
      for (std::int64_t i = 0; i < matrix.numel(); ++i) {
        values[i] = (2.0F * rng.next_float() - 1.0F) * bound;
      }
    }
  }
}

at::Tensor LoraAdapter::a(std::int64_t layer, const std::string& module) const {
  return lora_a(layout_, flat_, layer, linear_named(module));
}

at::Tensor LoraAdapter::b(std::int64_t layer, const std::string& module) const {
  return lora_b(layout_, flat_, layer, linear_named(module));
}

}  // namespace rallrec::models::llm
