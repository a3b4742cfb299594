#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "models/llm/lora_layout.h"

namespace rallrec::models::llm {

// A [r, in] and B [out, r] of one linear as views of a flat tensor laid out as `layout`; undefined
// tensors where `linear` is not adapted.
at::Tensor lora_a(const LoraLayout& layout, const at::Tensor& flat, std::int64_t layer,
                  Linear linear);
at::Tensor lora_b(const LoraLayout& layout, const at::Tensor& flat, std::int64_t layer,
                  Linear linear);

// The adapter in host memory.
class LoraAdapter {
 public:
  // A is Kaiming-uniform(a = sqrt 5) as in PEFT, drawn by Philox from `seed`; B is zero.
  LoraAdapter(const LlmConfig& config, const LoraOptions& options, std::uint64_t seed);

  const LoraOptions& options() const { return layout_.options(); }
  const LoraLayout& layout() const { return layout_; }
  double scale() const { return layout_.scale(); }
  // fp32 [parameters], contiguous; views share its storage.
  at::Tensor& flat() { return flat_; }
  const at::Tensor& flat() const { return flat_; }
  // A is [r, in], B is [out, r]; undefined tensors where `module` is not adapted.
  at::Tensor a(std::int64_t layer, const std::string& module) const;
  at::Tensor b(std::int64_t layer, const std::string& module) const;

 private:
  LoraLayout layout_;
  at::Tensor flat_;
};

}  // namespace rallrec::models::llm
