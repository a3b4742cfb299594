#include "pipeline/plan_times.h"

#include <algorithm>
#include <cmath>

#include "kernels/vocabulary_head.h"
#include "pipeline/plan_memory.h"

namespace rallrec::pipeline {
namespace {

// Attention's products over half of the square of a sequence.
constexpr double kForwardProducts = 2.0;
constexpr double kBackwardProducts = 5.0;

// One pass over a sequence: the linears, or their input gradients, and the products of attention.
double pass_flops(const PlanRequest& request, double tokens, double products) {
  const models::llm::LlmConfig& config = request.model;
  const auto width = static_cast<double>(config.heads * config.head_dim * config.layers);
  return 2.0 * tokens * static_cast<double>(linear_parameters(config)) +
         products * tokens * tokens * width;
}

double head_flops(const PlanRequest& request) {
  const auto table = static_cast<double>(request.model.vocab_size * request.model.hidden_size);
  return (request.trains ? 4.0 : 2.0) * table * static_cast<double>(request.labels);
}

// Bytes that a token reads and writes in one layer's forward pass outside of the products: two
// norms (4 hidden), two residual sums (6 hidden), rotation of query and key, SwiGLU (3
// intermediate), rounding of the linears' inputs, and their outputs. fp32.
double elementwise_bytes_of_token(const models::llm::LlmConfig& config) {
  const auto hidden = static_cast<double>(config.hidden_size);
  const auto query = static_cast<double>(config.heads * config.head_dim);
  const auto key = static_cast<double>(config.kv_heads * config.head_dim);
  const auto inner = static_cast<double>(config.intermediate_size);
  const double rounding = 1.25 * (2 * hidden + query + inner);
  const double outputs = 2 * hidden + query + 2 * key + 2 * inner;
  return 4.0 * (10 * hidden + 2 * (query + key) + 3 * inner + rounding + outputs);
}

// Backward reads what forward kept and touches as much again for the gradients.
double elementwise_bytes(const PlanRequest& request, std::int64_t tokens) {
  const double passes = request.trains ? 3.0 : 1.0;
  return passes * static_cast<double>(tokens * request.model.layers) *
         elementwise_bytes_of_token(request.model);
}

// A GPU has a port of its own to other nodes; the CPU ranks of a node share one.
double node_rate(const PlanRequest& request) {
  const bool own_port = request.machine.memory > 0.0;
  const double ranks = std::ceil(static_cast<double>(request.ranks) / request.nodes);
  return request.machine.between_nodes * (own_port ? ranks : 1.0);
}

// What is gathered enters a node once and goes round in it.
double gather_rate(const PlanRequest& request) {
  return request.nodes > 1 ? std::min(request.machine.link, node_rate(request))
                           : request.machine.link;
}

// What each rank wants of its own.
double exchange_rate(const PlanRequest& request) {
  const double ranks = std::ceil(static_cast<double>(request.ranks) / request.nodes);
  return request.nodes > 1 ? std::min(request.machine.link, node_rate(request) / ranks)
                           : request.machine.link;
}

double latency(const PlanRequest& request, std::int64_t collectives) {
  const double doublings = std::ceil(std::log2(static_cast<double>(request.ranks)));
  return request.machine.latency * doublings * static_cast<double>(collectives);
}

// Ids and rows; per chunk of label rows those, statistics and gradients; the tree's sum, losses and
// flags. None of them is hidden.
std::int64_t exposed_collectives(const PlanRequest& request) {
  if (request.ranks == 1) {
    return 0;
  }
  const std::int64_t chunks = (request.labels + kernels::kHeadRows - 1) / kernels::kHeadRows;
  return 2 + 3 * chunks + (request.trains ? 4 : 1);
}

std::int64_t exposed_bytes(const Plan& plan) {
  std::int64_t bytes = -plan.gathered_bytes;
  for (const PlanRow& row : plan.communication) {
    bytes += row.bytes;
  }
  return bytes;
}

}  // namespace

void plan_times(const PlanRequest& request, const std::vector<RankWork>& ranks, Plan& plan) {
  std::int64_t tokens = 0;
  for (const std::int64_t length : request.lengths) {
    const auto n = static_cast<double>(length);
    tokens += length;
    plan.step_flops += pass_flops(request, n, kForwardProducts);
    plan.step_flops += request.trains ? pass_flops(request, n, kBackwardProducts) : 0.0;
  }
  plan.step_flops += head_flops(request);
  const int batches = request.trains ? 1 : request.ranks;
  plan.tokens = tokens * batches;
  plan.step_flops *= batches;
  std::int64_t most = 0;
  for (const RankWork& rank : ranks) {
    most = std::max(most, rank.tokens);
  }
  const double share =
      plan.tokens > 0 ? static_cast<double>(most) / static_cast<double>(plan.tokens) : 0.0;
  const double products = plan.step_flops * share / request.machine.product_rate;
  const double rest = elementwise_bytes(request, most) / request.machine.elementwise_rate;
  plan.gather_seconds = static_cast<double>(plan.gathered_bytes) / gather_rate(request) +
                        latency(request, plan.gathers);
  plan.exposed_seconds = static_cast<double>(exposed_bytes(plan)) / exchange_rate(request) +
                         latency(request, exposed_collectives(request));
  plan.compute_seconds = products + rest;
  plan.step_seconds = std::max(plan.compute_seconds, plan.gather_seconds) + plan.exposed_seconds;
}

}  // namespace rallrec::pipeline
