#include "pipeline/bench/products.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "distributed/partition.h"
#include "models/llm/dense_linear.h"
#include "models/llm/fp32_linear.h"
#include "models/llm/int8_linear.h"
#include "models/llm/quant_mode.h"
#include "ops/decoder_ops.h"
#include "ops/tensor_rows.h"
#include "train/packing.h"

namespace rallrec::pipeline {
namespace {

using namespace models::llm;  // NOLINT(google-build-using-namespace): plain names of the engine

// The first [rows, columns] numbers of a buffer.
Rows part(const at::Tensor& buffer, std::int64_t rows, std::int64_t columns) {
  return ops::rows_of(buffer.narrow(0, 0, rows * columns).view({rows, columns}));
}

}  // namespace

BareProducts::BareProducts(const LlmConfig& config, const std::string& quant,
                           const std::vector<std::int64_t>& lengths, std::int64_t token_budget,
                           const distributed::Communicator& communicator)
    : config_(config), wide_layer_(models::llm::wide_type_of_this_cpu()) {
  const auto members = train::pack_balanced(lengths, token_budget, train::packing_cost(config));
  const distributed::Range mine =
      distributed::split_evenly(members.size(), communicator.size(), communicator.rank());
  std::int64_t most = 1;
  for (std::size_t i = mine.begin; i < mine.end; ++i) {
    std::vector<std::int64_t> own;
    for (const std::int64_t member : members[i]) {
      own.push_back(lengths[static_cast<std::size_t>(member)]);
    }
    most = std::max(most, std::accumulate(own.begin(), own.end(), std::int64_t{0}));
    micro_batches_.push_back(std::move(own));
  }
  std::int64_t widest = 1;
  for (const Linear linear : kLinears) {
    const LinearSize size = size_of(config, linear);
    add_linear(linear, quant_mode_of(quant), 0.02 * at::randn({size.out, size.in}));
    widest = std::max({widest, size.in, size.out});
  }
  wide_ = at::randn({most * widest});
  out_ = at::zeros({most * widest});
}

void BareProducts::add_linear(Linear linear, QuantMode mode, const at::Tensor& weight) {
  if (is_int8(mode)) {
    matrices_.push_back(std::make_unique<models::llm::Int8Matrix>(weight));
    linears_.push_back(make_int8_linear(mode, matrices_.back()->view(), wide_layer_[linear]));
  } else if (mode == QuantMode::kBfloat16) {
    linears_.push_back(std::make_unique<DenseLinear>(weight.to(at::kBFloat16)));
  } else {
    linears_.push_back(std::make_unique<Fp32Linear>(weight));
  }
}

void BareProducts::run() const {
  for (const auto& lengths : micro_batches_) {
    const std::int64_t tokens = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    if (tokens > 0) {
      run_linears(tokens);
      run_attention(lengths, tokens);
    }
  }
}

void BareProducts::run_linears(std::int64_t tokens) const {
  for (const Linear linear : kLinears) {
    const LinearSize size = size_of(config_, linear);
    const FrozenLinear& weights = *linears_[static_cast<std::size_t>(linear)];
    weights.forward(part(wide_, tokens, size.in), part(out_, tokens, size.out));
    weights.input_gradient(part(wide_, tokens, size.out), part(out_, tokens, size.in));
  }
}

void BareProducts::run_attention(const std::vector<std::int64_t>& lengths,
                                 std::int64_t tokens) const {
  const std::int64_t query = config_.heads * config_.head_dim;
  const std::int64_t key = config_.kv_heads * config_.head_dim;
  std::vector<kernels::AttentionSequence> sequences;
  std::int64_t begin = 0;
  for (const std::int64_t length : lengths) {
    sequences.push_back({begin, length, begin, length});
    begin += length;
  }
  const kernels::AttentionShape shape{config_.heads, config_.kv_heads, config_.head_dim};
  const Rows q = part(wide_, tokens, query);
  const Rows k = part(wide_, tokens, key);
  const at::Tensor o = at::empty({tokens, query});
  const at::Tensor lse = at::empty({tokens, config_.heads});
  ops::attention({}, shape, sequences, {}, q, k, k, ops::rows_of(o), ops::rows_of(lse));
  const at::Tensor dk = at::empty({tokens, key});
  const at::Tensor dv = at::empty_like(dk);
  ops::attention_backward({}, shape, sequences, {q, k, k, ops::rows_of(o), ops::rows_of(lse)}, q,
                          part(out_, tokens, query), ops::rows_of(dk), ops::rows_of(dv));
}

}  // namespace rallrec::pipeline
