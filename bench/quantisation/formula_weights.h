#pragma once

#include <memory>

#include "models/llm/tensor_source.h"
#include "models/llm/weight_store.h"

namespace rallrec::bench {

// The formulas of the int8 modes in double, from their definition and not from our kernels.
struct Formula {
  enum class Forward { kW8a16, kW8a8, kLlmInt8 };

  Forward forward = Forward::kW8a16;
  // dx = Q(dy ∘ s) W_q, else dx = dy (s ∘ W_q).
  bool int8_gradient = false;
  // llm_int8: outliers are whole feature columns of the call, as the paper has it, not single
  // values.
  bool outlier_columns = false;
  // w8a8: values of at least this many times the root mean square of what is left of their row stay
  // as they are. 0 = none.
  double outlier_limit = 0.0;
};

// Linears by the formula; embedding, norms and head in fp32 as in mode fp32.
std::unique_ptr<models::llm::WeightStore> make_formula_weights(
    const models::llm::LlmConfig& config, const Formula& formula,
    const models::llm::TensorSource& source);

}  // namespace rallrec::bench
