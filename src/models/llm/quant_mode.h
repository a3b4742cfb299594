#pragma once

#include <string>

#include "models/llm/dense_weights.h"

namespace rallrec::models::llm {

// What `--quant` (model.quant) means in this build: fp32, bf16, w8a8 (int8 weights and
// activations), or auto, which is bf16 where the CPU has bf16 instructions and fp32 elsewhere.
// Throws kUsage for any other word, listing what there is.
DenseType dense_type_of(const std::string& quant);

// The mode that `quant` stands for on this CPU: auto resolved, any other word as it is. Results
// depend on it, so it is what hashes hold.
std::string resolved_quant(const std::string& quant);

}  // namespace rallrec::models::llm
