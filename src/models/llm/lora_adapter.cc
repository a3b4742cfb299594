#include "models/llm/lora_adapter.h"

#include <cmath>

#include "core/error.h"
#include "core/rng.h"

namespace rallrec::models::llm {
namespace {

void check_options(const LoraOptions& options) {
  if (options.r < 1 || options.r > 65536) {
    throw_usage("tune.lora_r must be from 1 to 65536");
  }
  if (!(options.dropout >= 0.0 && options.dropout < 1.0)) {
    throw_usage("tune.lora_dropout must be at least 0 and below 1");
  }
  if (!std::isfinite(options.alpha)) {
    throw_usage("tune.lora_alpha must be a finite number");
  }
  if (options.modules.empty()) {
    throw_usage("tune.target_modules must name at least one linear layer");
  }
}

}  // namespace

LoraLayout::LoraLayout(const LlmConfig& config, const LoraOptions& options)
    : r_(options.r), layers_(config.layers) {
  check_options(options);
  std::array<bool, kLinearCount> adapted{};
  for (const std::string& module : options.modules) {
    bool& named = adapted[static_cast<std::size_t>(linear_named(module))];
    if (named) {
      throw_usage("tune.target_modules names " + module + " twice");
    }
    named = true;
  }
  // In the order of the layer, not of the option, so that an adapter read back from a file has the
  // layout it was written from.
  offsets_.fill(-1);
  for (const Linear linear : kLinears) {
    const auto index = static_cast<std::size_t>(linear);
    if (adapted[index]) {
      sizes_[index] = size_of(config, linear);
      offsets_[index] = layer_parameters_;
      layer_parameters_ += r_ * (sizes_[index].in + sizes_[index].out);
    }
  }
}

at::Tensor LoraLayout::a(const at::Tensor& flat, std::int64_t layer, Linear linear) const {
  if (!adapts(linear)) {
    return {};
  }
  const auto index = static_cast<std::size_t>(linear);
  const std::int64_t begin = layer * layer_parameters_ + offsets_[index];
  return flat.narrow(0, begin, r_ * sizes_[index].in).view({r_, sizes_[index].in});
}

at::Tensor LoraLayout::b(const at::Tensor& flat, std::int64_t layer, Linear linear) const {
  if (!adapts(linear)) {
    return {};
  }
  const auto index = static_cast<std::size_t>(linear);
  const LinearSize size = sizes_[index];
  const std::int64_t begin = layer * layer_parameters_ + offsets_[index] + r_ * size.in;
  return flat.narrow(0, begin, r_ * size.out).view({size.out, r_});
}

LoraAdapter::LoraAdapter(const LlmConfig& config, const LoraOptions& options, std::uint64_t seed)
    : options_(options),
      layout_(config, options),
      flat_(at::zeros({layout_.parameters()}, at::kFloat)) {
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    for (const std::string& module : options_.modules) {
      const Linear linear = linear_named(module);
      const at::Tensor matrix = layout_.a(flat_, layer, linear);
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
  return layout_.a(flat_, layer, linear_named(module));
}

at::Tensor LoraAdapter::b(std::int64_t layer, const std::string& module) const {
  return layout_.b(flat_, layer, linear_named(module));
}

}  // namespace rallrec::models::llm
