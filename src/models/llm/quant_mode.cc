#include "models/llm/quant_mode.h"

#include <array>

#include "core/error.h"

namespace rallrec::models::llm {
namespace {

constexpr std::array<QuantMode, 5> kModes = {QuantMode::kFloat32, QuantMode::kBfloat16,
                                             QuantMode::kW8a8, QuantMode::kW8a16,
                                             QuantMode::kLlmInt8};

}  // namespace

bool is_int8(QuantMode mode) { return mode != QuantMode::kFloat32 && mode != QuantMode::kBfloat16; }

const char* name_of(QuantMode mode) {
  switch (mode) {
    case QuantMode::kFloat32:
      return "fp32";
    case QuantMode::kBfloat16:
      return "bf16";
    case QuantMode::kW8a8:
      return "w8a8";
    case QuantMode::kW8a16:
      return "w8a16";
    case QuantMode::kLlmInt8:
      break;
  }
  return "llm_int8";
}

QuantMode quant_mode_of(const std::string& quant, Device device) {
  const std::string mode = resolved_quant(quant, device);
  for (const QuantMode known : kModes) {
    if (mode == name_of(known)) {
      return known;
    }
  }
  throw_usage("model.quant (--quant) is '" + quant +
              "': expected auto, llm_int8, w8a16, w8a8, bf16 or fp32");
}

std::string resolved_quant(const std::string& quant, Device device) {
  if (quant != "auto") {
    return quant;
  }
  const bool narrow = device == Device::kCuda || has_bfloat16_instructions();
  return name_of(narrow ? QuantMode::kBfloat16 : QuantMode::kFloat32);
}

bool has_bfloat16_instructions() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

}  // namespace rallrec::models::llm
