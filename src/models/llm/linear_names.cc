#include "models/llm/linear_names.h"

#include "core/error.h"

namespace rallrec::models::llm {
namespace {

constexpr std::array<const char*, kLinearCount> kNames = {
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};

}  // namespace

const char* name_of(Linear linear) { return kNames[static_cast<std::size_t>(linear)]; }

Linear linear_named(const std::string& name) {
  for (Linear linear : kLinears) {
    if (name == name_of(linear)) {
      return linear;
    }
  }
  throw_usage("'" + name + "' is no linear of a decoder layer: expected q_proj, k_proj, v_proj, " +
              "o_proj, gate_proj, up_proj or down_proj");
}

LinearSize size_of(const LlmConfig& config, Linear linear) {
  const std::int64_t queries = config.heads * config.head_dim;
  const std::int64_t keys = config.kv_heads * config.head_dim;
  switch (linear) {
    case Linear::kQ:
      return {config.hidden_size, queries};
    case Linear::kK:
    case Linear::kV:
      return {config.hidden_size, keys};
    case Linear::kO:
      return {queries, config.hidden_size};
    case Linear::kGate:
    case Linear::kUp:
      return {config.hidden_size, config.intermediate_size};
    case Linear::kDown:
      break;
  }
  return {config.intermediate_size, config.hidden_size};
}

std::string weight_name(std::int64_t layer, Linear linear) {
  const char* block = linear < Linear::kGate ? ".self_attn." : ".mlp.";
  return "model.layers." + std::to_string(layer) + block + name_of(linear) + ".weight";
}

}  // namespace rallrec::models::llm
