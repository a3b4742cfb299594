#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/rows.h"
#include "models/llm/linear_names.h"
#include "models/llm/llm_config.h"

namespace rallrec::models::llm {

// LoRA (Hu et al. 2021) on some linear layers of every decoder layer: y += (alpha / r) ·
// B(A(dropout(x))).
struct LoraOptions {
  std::int64_t r = 8;
  double alpha = 16.0;
  double dropout = 0.05;
  std::vector<std::string> modules = {"q_proj", "v_proj"};  // any of the layer's seven linears
};

// A matrix in a flat vector; none where it has no columns.
struct LoraMatrix {
  std::int64_t offset = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

// Where each matrix lies in the flat vector of parameters: for layer l, for module m in the order
// of kLinears, A [r, in] then B [out, r], row-major. A gradient is laid out the same way.
class LoraLayout {
 public:
  // Throws kUsage where the options are no LoRA: r below 1, dropout outside [0, 1), an unknown or
  // repeated module, or none.
  LoraLayout(const LlmConfig& config, const LoraOptions& options);

  const LoraOptions& options() const { return options_; }
  double scale() const { return options_.alpha / static_cast<double>(options_.r); }
  std::int64_t parameters() const { return layers_ * layer_parameters_; }
  bool adapts(Linear linear) const { return offsets_[static_cast<std::size_t>(linear)] >= 0; }
  // None where `linear` is not adapted.
  LoraMatrix a(std::int64_t layer, Linear linear) const;
  LoraMatrix b(std::int64_t layer, Linear linear) const;

 private:
  LoraOptions options_;
  std::int64_t layers_;
  std::int64_t layer_parameters_ = 0;
  std::array<std::int64_t, kLinearCount> offsets_;  // within a layer; -1 = not adapted
  std::array<LinearSize, kLinearCount> sizes_;
};

// An adapter's numbers, or their gradient, where the passes read or write them.
struct LoraWeights {
  const LoraLayout& layout;
  float* flat;  // fp32 [parameters], in the queue's memory

  Rows a(std::int64_t layer, Linear linear) const { return view(layout.a(layer, linear)); }
  Rows b(std::int64_t layer, Linear linear) const { return view(layout.b(layer, linear)); }

 private:
  Rows view(const LoraMatrix& m) const { return {flat + m.offset, m.rows, m.columns}; }
};

}  // namespace rallrec::models::llm
