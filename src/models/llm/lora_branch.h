#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/llm/arena.h"
#include "models/llm/batch_rows.h"
#include "models/llm/lora_layout.h"

namespace rallrec::models::llm {

// The adapter as one layer and one micro-batch see it.
struct LayerLora {
  const LoraWeights* adapter = nullptr;  // null = no adapter
  std::int64_t layer = 0;
  // Dropout is on where `samples` is not null: one per sequence.
  const std::vector<std::int64_t>* samples = nullptr;
  DropoutKey key;

  bool adapts(Linear linear) const { return adapter != nullptr && adapter->layout.adapts(linear); }
  bool drops() const { return samples != nullptr && rate() > 0.0; }
  double rate() const { return adapter->layout.options().dropout; }
};

// The adapter (null = none) on a layer, without dropout.
inline LayerLora plain_lora(const LoraWeights* adapter, std::int64_t layer) {
  LayerLora lora;
  lora.adapter = adapter;
  lora.layer = layer;
  return lora;
}

// What the backward pass of one module needs: the dropout mask and A(dropout(x)).
struct LoraKept {
  std::uint8_t* mask = nullptr;  // [rows, bytes]; null without dropout
  Rows narrow;                   // [rows, r]
};

// y += scale · B(A(dropout(x))), x being `rows` of the batch. `kept`, where not null, is filled
// from `keep`.
void lora_forward(const LayerLora& lora, Linear linear, const BatchRows& rows, const Rows& x,
                  const Rows& y, Arena& scratch, Arena* keep, LoraKept* kept);

// Adds the branch's part of the input gradient to dx (none: not wanted) and writes the gradients of
// A and B into `gradient`, laid out as the adapter.
void lora_backward(const LayerLora& lora, Linear linear, const Rows& x, const Rows& dy,
                   const LoraKept& kept, const Rows& dx, float* gradient, Arena& scratch);

}  // namespace rallrec::models::llm
