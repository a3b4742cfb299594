#include "models/llm/lora_layout.h"

#include <cmath>

#include "core/error.h"

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
    : options_(options), layers_(config.layers) {
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
      layer_parameters_ += options_.r * (sizes_[index].in + sizes_[index].out);
    }
  }
}

LoraMatrix LoraLayout::a(std::int64_t layer, Linear linear) const {
  if (!adapts(linear)) {
    return {};
  }
  const auto index = static_cast<std::size_t>(linear);
  return {layer * layer_parameters_ + offsets_[index], options_.r, sizes_[index].in};
}

LoraMatrix LoraLayout::b(std::int64_t layer, Linear linear) const {
  if (!adapts(linear)) {
    return {};
  }
  const LoraMatrix before = a(layer, linear);
  return {before.offset + before.rows * before.columns,
          sizes_[static_cast<std::size_t>(linear)].out, options_.r};
}

}  // namespace rallrec::models::llm
