#pragma once

#include <functional>

#include "tests/models/llm/tiny_model.h"

namespace rallrec::models::llm {

// Keeps (1 / (1 - rate)) or drops (0) each input of a module: [tokens, channels], double. Null = no
// dropout.
using MaskSource =
    std::function<at::Tensor(std::int64_t layer, Linear linear, std::int64_t channels)>;

// Plain Llama in double, one sequence at a time, by the textbook formulas and autograd. `lora` is a
// flat double vector laid out as LoraAdapter::flat, or undefined. Returns final-norm hidden states.
at::Tensor reference_hidden(const TinyModel& model, const std::vector<std::int64_t>& ids,
                            const LoraAdapter* adapter, const at::Tensor& lora,
                            const MaskSource& mask);
at::Tensor reference_logits(const TinyModel& model, const at::Tensor& hidden);

// The mask of DropoutStream's contract, bit by bit from core/rng.h.
at::Tensor reference_mask(DropoutKey key, double rate, std::int64_t sample, std::int64_t tokens,
                          std::int64_t layer, Linear linear, std::int64_t channels);

}  // namespace rallrec::models::llm
