// What plan reckons with (pipeline/machine.h), measured on all ranks at once.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "models/llm/known_shapes.h"
#include "ops/decoder_ops.h"
#include "ops/tensor_rows.h"
#include "pipeline/bench/line.h"
#include "pipeline/bench/products.h"
#include "pipeline/plan_memory.h"

namespace rallrec::pipeline {
namespace {

using models::llm::LlmConfig;

constexpr std::int64_t kPrompts = 8;  // of a rank
constexpr std::int64_t kTokens = 500;
constexpr std::size_t kFloats = std::size_t{1} << 22;  // of a rank, for the bandwidth
constexpr int kMessages = 200;
constexpr const char* kUsualShape = "SmolLM2-135M";

LlmConfig shape_of(const BenchRequest& request) {
  return request.model.empty() ? *models::llm::known_shape(kUsualShape)
                               : models::llm::read_llm_config(request.model);
}

// The seven linears of a layer forward and back, and seven attention products over half of the
// square.
double layer_flops(const LlmConfig& config, double prompts) {
  const auto weights = static_cast<double>(linear_parameters(config) / config.layers);
  const auto tokens = static_cast<double>(kTokens);
  const auto width = static_cast<double>(config.heads * config.head_dim);
  return prompts * (4.0 * tokens * weights + 7.0 * tokens * tokens * width);
}

void print_arm(const BenchRun& run, const std::string& arm, const Seconds& seconds, double work,
               double verified) {
  BenchLine line;
  line.bench = "machine";
  line.arm = arm;
  line.seconds = seconds;
  line.work = work;
  line.rate = work / seconds.median;
  line.verified = verified;
  print_line(line, run);
}

void time_products(const BenchRun& run, const LlmConfig& config) {
  const std::int64_t prompts = kPrompts * run.communicator.size();
  const BareProducts products(config, run.options.model.quant,
                              std::vector<std::int64_t>(static_cast<std::size_t>(prompts), kTokens),
                              run.options.tune.token_budget, run.communicator);
  const auto seconds = time_arms({[&] { products.run(); }}, run.request.repeats, run.communicator);
  print_arm(run, "products", seconds[0], layer_flops(config, kPrompts), 0.0);
}

// Norm and SwiGLU of a micro-batch, whose arrays a step goes over again and again.
void time_elementwise(const BenchRun& run, const LlmConfig& config) {
  const std::int64_t tokens = run.options.tune.token_budget;
  const at::Tensor x = at::randn({tokens, config.hidden_size});
  const at::Tensor weight = at::ones({config.hidden_size});
  const at::Tensor normed = at::empty_like(x);
  const at::Tensor gate = at::randn({tokens, config.intermediate_size});
  const at::Tensor up = at::randn({tokens, config.intermediate_size});
  const at::Tensor inner = at::empty_like(gate);
  const auto work = [&] {
    ops::rms_norm({}, ops::rows_of(x), weight.const_data_ptr<float>(), config.rms_norm_eps,
                  ops::rows_of(normed), {});
    ops::swi_glu({}, ops::rows_of(gate), ops::rows_of(up), ops::rows_of(inner));
  };
  work();
  const double apart = (inner - at::silu(gate) * up).abs().max().item<double>();
  require_agreement("machine: SwiGLU and libtorch's", apart, 1e-4);
  const auto seconds = time_arms({work}, run.request.repeats, run.communicator);
  const double bytes =
      4.0 * static_cast<double>(tokens * (2 * config.hidden_size + 3 * config.intermediate_size));
  print_arm(run, "elementwise", seconds[0], bytes, apart);
}

void time_link(const BenchRun& run) {
  distributed::Communicator& communicator = run.communicator;
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const std::vector<float> mine(kFloats, static_cast<float>(communicator.rank() + 1));
  std::vector<float> all(kFloats * ranks);
  const auto small = [&] {
    for (int i = 0; i < kMessages; ++i) {
      communicator.all_gather(mine.data(), all.data(), 1, distributed::DType::kFloat32);
    }
  };
  const auto large = [&] {
    communicator.all_gather(mine.data(), all.data(), kFloats, distributed::DType::kFloat32);
  };
  const auto seconds = time_arms({small, large}, run.request.repeats, communicator);
  double apart = 0.0;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    apart = std::max(apart, std::abs(static_cast<double>(all[(rank + 1) * kFloats - 1]) -
                                     static_cast<double>(rank + 1)));
  }
  require_agreement("machine: what was gathered and what was sent", apart, 0.0);
  const double doublings = std::ceil(std::log2(static_cast<double>(ranks)));
  const double each = 1.0 / (kMessages * doublings);
  print_arm(run, "latency",
            {seconds[0].median * each, seconds[0].least * each, seconds[0].most * each}, 4.0,
            apart);
  print_arm(run, "bandwidth", seconds[1], 4.0 * static_cast<double>(kFloats * (ranks - 1)), apart);
}

}  // namespace

void bench_machine(const BenchRun& run) {
  const LlmConfig config = shape_of(run.request);
  time_products(run, config);
  time_elementwise(run, config);
  if (run.communicator.size() > 1) {
    time_link(run);
  }
}

}  // namespace rallrec::pipeline
