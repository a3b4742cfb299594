#pragma once

#include <string>

#include "core/device.h"

namespace rallrec::models::llm {

// How the frozen layer matrices are kept and multiplied: as fp32, as bf16, or as int8 with int8
// activations (w8a8), with 16-bit activations (w8a16) or with int8 activations but for outlier
// columns (llm_int8).
enum class QuantMode { kFloat32, kBfloat16, kW8a8, kW8a16, kLlmInt8 };

// Whether the layer matrices are int8 with row scales, equal bytes in all such modes.
bool is_int8(QuantMode type);

// The word of `--quant` for it.
const char* name_of(QuantMode type);

// What `--quant` (model.quant) means on a device: a name, or auto, which is bf16 on GPUs and on
// CPUs with bf16 instructions, and fp32 elsewhere. Throws kUsage for any other word, listing what
// there is.
QuantMode quant_mode_of(const std::string& quant, Device device = Device::kCpu);

// The mode that `quant` stands for on this CPU, or on a GPU: auto resolved, any other word as it
// is. Results depend on it, so it is what hashes hold.
std::string resolved_quant(const std::string& quant, Device device = Device::kCpu);

// Every CPU with AMX-BF16 has AVX512-BF16 too, which is what is asked.
bool has_bfloat16_instructions();

}  // namespace rallrec::models::llm
