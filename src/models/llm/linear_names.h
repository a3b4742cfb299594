#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "models/llm/llm_config.h"

namespace rallrec::models::llm {

// The seven linear maps of a decoder layer, in the order of the checkpoint's forward pass.
enum class Linear { kQ, kK, kV, kO, kGate, kUp, kDown };
constexpr int kLinearCount = 7;
constexpr std::array<Linear, kLinearCount> kLinears = {
    Linear::kQ, Linear::kK, Linear::kV, Linear::kO, Linear::kGate, Linear::kUp, Linear::kDown};

// "q_proj", …, "down_proj".
const char* name_of(Linear linear);
// Throws kUsage where `name` is none of the seven.
Linear linear_named(const std::string& name);

// A weight is [out, in], as in the checkpoint.
struct LinearSize {
  std::int64_t in;
  std::int64_t out;
};
LinearSize size_of(const LlmConfig& config, Linear linear);

// "model.layers.3.self_attn.q_proj.weight"
std::string weight_name(std::int64_t layer, Linear linear);

}  // namespace rallrec::models::llm
