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
  if (quant == "fp32") {
    return DenseType::kFloat32;
  }
  if (quant == "bf16") {
    return DenseType::kBfloat16;
  }
  if (quant == "auto") {
    return has_bfloat16_instructions() ? DenseType::kBfloat16 : DenseType::kFloat32;
  }
  if (quant == "w8a8") {
    return DenseType::kInt8;
  }
  const bool known = quant == "llm_int8" || quant == "w8a16";
  throw_usage("model.quant (--quant) is '" + quant +
              "': " + (known ? "this build does not have it; choose" : "expected") +
              " auto, fp32, bf16 or w8a8");
}

}  // namespace rallrec::models::llm
