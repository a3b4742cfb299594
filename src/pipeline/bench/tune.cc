#include <algorithm>

#include "core/process_memory.h"
#include "distributed/throttled_communicator.h"
#include "pipeline/bench/all_positions.h"
#include "pipeline/bench/line.h"
#include "pipeline/bench/model.h"
#include "pipeline/bench/padded.h"
#include "pipeline/bench/products.h"
#include "pipeline/bench/step.h"
#include "pipeline/bench/tune_counts.h"

namespace rallrec::pipeline {
namespace {

using models::llm::CausalLm;
using models::llm::LoraAdapter;
using models::llm::MicroBatch;

// Two orders of the same sums, in fp32 or with activations rounded to 8 bits per token.
constexpr double kSameStep = 1e-3;
// 1 - cosine of the gradients of two number formats; 8-bit activations take 0.01
// (docs/benchmarks/quantisation.md).
constexpr double kOtherFormat = 0.05;

// Memory of the first step of the process, and bytes received in the second.
TuneCounts count(const BenchStep& step, std::int64_t before, CausalLm& model,
                 const LoraAdapter& adapter) {
  packed_step(step, model, adapter);
  const std::int64_t peak = peak_resident_bytes() - before;
  const std::uint64_t gathered = model.gathered().bytes;
  packed_step(step, model, adapter);
  std::int64_t most[] = {peak, model.frozen_bytes(),
                         static_cast<std::int64_t>(model.gathered().bytes - gathered)};
  step.run.communicator.all_reduce(most, 3, distributed::DType::kInt64,
                                   distributed::ReduceOp::kMax);
  return {most[0], most[1], most[2]};
}

std::int64_t tokens_of(const std::vector<MicroBatch>& all) {
  std::int64_t tokens = 0;
  for (const MicroBatch& one : all) {
    tokens += one.batch.tokens();
  }
  return tokens;
}

void time_step(const BenchStep& step, CausalLm& model, const LoraAdapter& adapter) {
  const BenchRun& run = step.run;
  const std::vector<MicroBatch> all = padded_batches(step.dataset);
  const double apart =
      difference_of(packed_step(step, model, adapter), step_over(step, all, model, adapter));
  require_agreement("tune: packed and padded loss or gradient", apart, kSameStep);
  const BareProducts products(model.config(), model.quant(), step.dataset.lengths_of(step.prompts),
                              run.options.tune.token_budget, run.communicator);
  const std::vector<Seconds> seconds =
      time_arms({[&] { packed_step(step, model, adapter); },
                 [&] { step_over(step, all, model, adapter); }, [&] { products.run(); }},
                run.request.repeats, run.communicator);
  const auto useful = static_cast<double>(step.tokens);
  const auto filled = static_cast<double>(tokens_of(all));
  const double faster = seconds[1].median / seconds[0].median;
  const double bare = products.layers() * seconds[2].median;
  const auto line = [&](const char* arm, std::size_t i, double ratio,
                        std::vector<std::pair<std::string, double>> more) {
    print_line({"tune", arm, seconds[i], 0, useful, useful / seconds[i].median, apart, ratio,
                std::move(more)},
               run);
  };
  line("packed", 0, faster,
       {{"allowed", filled / useful}, {"share_of_allowed", faster * useful / filled}});
  line("padded", 1, 1.0, {{"computed_tokens", filled}});
  line("bare products of one layer", 2, seconds[0].median / bare, {{"all_layers_seconds", bare}});
}

void time_against(const BenchStep& step, CausalLm& model, const LoraAdapter& adapter) {
  const BenchRun& run = step.run;
  const auto other = bench_model(run, run.request.against);
  const double apart =
      difference_of(packed_step(step, model, adapter), packed_step(step, *other, adapter));
  require_agreement("tune: loss or gradient of " + model.quant() + " and " + other->quant(), apart,
                    kOtherFormat);
  const std::vector<Seconds> seconds = time_arms(
      {[&] { packed_step(step, model, adapter); }, [&] { packed_step(step, *other, adapter); }},
      run.request.repeats, run.communicator);
  BenchLine common;
  common.bench = "tune";
  common.work = static_cast<double>(step.tokens);
  common.verified = apart;
  print_pair(common, {model.quant() + " against " + other->quant(), other->quant()}, seconds, run);
}

// The same step with layers that come over a slow link.
void time_link(const BenchStep& step, CausalLm& model, const LoraAdapter& adapter) {
  const BenchRun& run = step.run;
  const double rate = 1e6 * run.request.link;
  distributed::ThrottledCommunicator slow(run.communicator, {{}, rate});
  const auto other = bench_model({run.request, run.options, slow}, model.quant());
  const double apart =
      difference_of(packed_step(step, model, adapter), packed_step(step, *other, adapter));
  require_agreement("tune: loss or gradient over a slow link", apart, 0.0);
  const auto before = other->gathered();
  const std::vector<Seconds> seconds = time_arms(
      {[&] { packed_step(step, *other, adapter); }, [&] { packed_step(step, model, adapter); }},
      run.request.repeats, run.communicator);
  const auto after = other->gathered();
  const double steps = run.request.repeats + 1;
  const auto useful = static_cast<double>(step.tokens);
  const auto line = [&](const char* arm, std::size_t i, double ratio,
                        std::vector<std::pair<std::string, double>> more) {
    print_line({"tune", arm, seconds[i], 0, useful, useful / seconds[i].median, apart, ratio,
                std::move(more)},
               run);
  };
  line("slow link", 0, seconds[0].median / seconds[1].median,
       {{"megabytes_per_second", run.request.link},
        {"link_seconds", static_cast<double>(after.bytes - before.bytes) / steps / rate},
        {"waited_seconds", (after.waited_seconds - before.waited_seconds) / steps}});
  line("real link", 1, 1.0, {});
}

}  // namespace

void bench_tune(const BenchRun& run) {
  const train::PromptDataset dataset = bench_prompts(run);
  const BenchStep step = make_step(run, dataset);
  const std::int64_t before = resident_bytes();
  const auto model = bench_model(run, run.options.model.quant);
  const LoraAdapter adapter = bench_adapter(model->config(), run.options.tune);
  print_counts(step, *model, count(step, before, *model, adapter));
  time_step(step, *model, adapter);
  if (!run.request.against.empty()) {
    time_against(step, *model, adapter);
  }
  if (run.request.all_positions) {
    time_all_positions(step, *model, adapter);
  }
  if (run.request.link > 0.0) {
    time_link(step, *model, adapter);
  }
}

}  // namespace rallrec::pipeline
