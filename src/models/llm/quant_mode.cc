#include "models/llm/quant_mode.h"

#include "core/error.h"

namespace rallrec::models::llm {
namespace {

// Every CPU with AMX-BF16 has AVX512-BF16 too.
bool has_bfloat16_instructions() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

}  // namespace

DenseType dense_type_of(const std::string& quant) {
  const std::string mode = resolved_quant(quant);
  if (mode == "fp32") {
    return DenseType::kFloat32;
  }
  if (mode == "bf16") {
    return DenseType::kBfloat16;
  }
  if (mode == "w8a8") {
    return DenseType::kInt8;
  }
  const bool known = quant == "llm_int8" || quant == "w8a16";
  throw_usage("model.quant (--quant) is '" + quant +
              "': " + (known ? "this build does not have it; choose" : "expected") +
              " auto, fp32, bf16 or w8a8");
}

std::string resolved_quant(const std::string& quant) {
  if (quant != "auto") {
    return quant;
  }
  return has_bfloat16_instructions() ? "bf16" : "fp32";
}

}  // namespace rallrec::models::llm
