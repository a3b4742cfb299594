#include <unistd.h>

#include <cmath>
#include <fstream>
#include <string>

#include "core/process_memory.h"
#include "core/stopwatch.h"
#include "pipeline/bench/line.h"
#include "pipeline/bench/model.h"
#include "pipeline/bench/step.h"

namespace rallrec::pipeline {
namespace {

// Since this process was started, to a hundredth: field 22 of its stat line and Linux's uptime.
// 0 where the system does not tell.
double seconds_since_start() {
  std::ifstream stat("/proc/self/stat");
  std::ifstream uptime("/proc/uptime");
  std::string field;
  for (int i = 1; i <= 22; ++i) {
    stat >> field;
  }
  double now = 0.0;
  uptime >> now;
  const bool known = stat && uptime;
  return known ? now - std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK)) : 0.0;
}

}  // namespace

// Once, since only the first time is a start; repeat the command for a spread.
void bench_load(const BenchRun& run) {
  const std::int64_t before = resident_bytes();
  double total = seconds_since_start();
  Stopwatch watch;
  const auto phase = [&](const char* name, double work, double seconds) {
    total += seconds;
    print_line({"load",
                name,
                {seconds, seconds, seconds},
                peak_resident_bytes() - before,
                work,
                work / seconds,
                BenchLine::kNone,
                0.0,
                {{"since_start", total}}},
               run);
    watch = Stopwatch();
  };
  const auto lap = [&] {
    run.communicator.barrier();
    return watch.seconds();
  };
  const double start = total;
  total = 0.0;
  phase("process and libraries", 0.0, start);
  const train::PromptDataset dataset = bench_prompts(run);
  phase("tokenizer and prompts", static_cast<double>(dataset.tokens()), lap());
  const auto model = bench_model(run, run.options.model.quant);
  phase("weights", static_cast<double>(model->frozen_bytes()), lap());
  const models::llm::LoraAdapter adapter = bench_adapter(model->config(), run.options.tune);
  phase("adapter", static_cast<double>(adapter.flat().numel()), lap());
  const BenchStep step = make_step(run, dataset);
  const StepOutcome outcome = packed_step(step, *model, adapter);
  require_agreement("load: the first step's loss is not finite; it and 0",
                    std::isfinite(outcome.loss) ? 0.0 : outcome.loss, 0.0);
  phase("first step", static_cast<double>(step.tokens), lap());
}

}  // namespace rallrec::pipeline
