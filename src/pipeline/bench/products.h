#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "models/llm/int8_matrix.h"
#include "models/llm/quant_mode.h"
#include "models/llm/weight_store.h"
#include "models/llm/wide_layer.h"

namespace rallrec::pipeline {

// The matrix products of one decoder layer at the shapes that a packed step gives them on this
// rank: seven linears forward and input gradient, in the step's own number format (8-bit modes
// quantise their input inside), and attention forward and backward. Random numbers; nothing else is
// computed.
class BareProducts {
 public:
  BareProducts(const models::llm::LlmConfig& config, const std::string& quant,
               const std::vector<std::int64_t>& lengths, std::int64_t token_budget,
               const distributed::Communicator& communicator);

  void run() const;
  double layers() const { return static_cast<double>(config_.layers); }

 private:
  void add_linear(models::llm::Linear linear, models::llm::QuantMode mode,
                  const at::Tensor& weight);
  void run_linears(std::int64_t tokens) const;
  void run_attention(const std::vector<std::int64_t>& lengths, std::int64_t tokens) const;

  models::llm::LlmConfig config_;
  models::llm::WideLayer wide_layer_;
  std::vector<std::unique_ptr<models::llm::Int8Matrix>> matrices_;  // of the int8 modes
  std::vector<std::unique_ptr<models::llm::FrozenLinear>> linears_;
  std::vector<std::vector<std::int64_t>> micro_batches_;  // lengths
  at::Tensor wide_;                                       // [most tokens, widest]
  at::Tensor out_;
};

}  // namespace rallrec::pipeline
