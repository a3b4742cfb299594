#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

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

// Where each matrix lies in the flat vector of parameters: for layer l, for module m in `modules`
// order, A [r, in] then B [out, r], row-major. A gradient is laid out the same way.
class LoraLayout {
 public:
  // Throws kUsage where the options are no LoRA: r below 1, dropout outside [0, 1), an unknown or
  // repeated module, or none.
  LoraLayout(const LlmConfig& config, const LoraOptions& options);

  std::int64_t parameters() const { return layers_ * layer_parameters_; }
  bool adapts(Linear linear) const { return offsets_[static_cast<std::size_t>(linear)] >= 0; }
  // Views into a flat vector; undefined tensors where `linear` is not adapted.
  at::Tensor a(const at::Tensor& flat, std::int64_t layer, Linear linear) const;
  at::Tensor b(const at::Tensor& flat, std::int64_t layer, Linear linear) const;

 private:
  std::int64_t r_;
  std::int64_t layers_;
  std::int64_t layer_parameters_ = 0;
  std::array<std::int64_t, kLinearCount> offsets_;  // within a layer; -1 = not adapted
  std::array<LinearSize, kLinearCount> sizes_;
};

class LoraAdapter {
 public:
  // A is Kaiming-uniform(a = sqrt 5) as in PEFT, drawn by Philox from `seed`; B is zero.
  LoraAdapter(const LlmConfig& config, const LoraOptions& options, std::uint64_t seed);

  const LoraOptions& options() const { return options_; }
  const LoraLayout& layout() const { return layout_; }
  double scale() const { return options_.alpha / static_cast<double>(options_.r); }
  // fp32 [parameters], contiguous; views share its storage.
  at::Tensor& flat() { return flat_; }
  const at::Tensor& flat() const { return flat_; }
  // A is [r, in], B is [out, r]; undefined tensors where `module` is not adapted.
  at::Tensor a(std::int64_t layer, const std::string& module) const;
  at::Tensor b(std::int64_t layer, const std::string& module) const;

 private:
  LoraOptions options_;
  LoraLayout layout_;
  at::Tensor flat_;
};

}  // namespace rallrec::models::llm
