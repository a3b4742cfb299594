#include "pipeline/bench/bench.h"

#include <algorithm>
#include <memory>

#include "commands/command_list.h"
#include "core/error.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::string name;
  pipeline::BenchRequest request;
};

int run(const Flags& flags, CommandContext& context) {
  const auto& table = pipeline::bench_table();
  const auto bench = std::find_if(table.begin(), table.end(), [&](const pipeline::Bench& one) {
    return one.name == flags.name;
  });
  if (bench == table.end()) {
    std::string names;
    for (const pipeline::Bench& one : table) {
      names.append(names.empty() ? "" : ", ").append(one.name);
    }
    throw_usage("bench '" + flags.name + "': expected one of " + names);
  }
  const pipeline::BenchRequest& request = flags.request;
  if (bench->needs_model && (request.model.empty() || request.input.empty())) {
    throw_usage("bench " + flags.name + " needs --model DIR and --input FILE");
  }
  if (request.repeats < 1 || request.count < 1) {
    throw_usage("bench: --repeats and --count must be at least 1");
  }
  bench->run({request, context.options, context.communicator});
  return 0;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  std::string names = "Which one:";
  for (const pipeline::Bench& bench : pipeline::bench_table()) {
    names.append("\n").append(bench.name).append(": ").append(bench.summary);
  }
  app.add_option("name", flags->name, names)->required()->type_name("BENCH");
  pipeline::BenchRequest& request = flags->request;
  app.add_option(
         "--model", request.model,
         "Hugging Face folder of the model; matmul: [shapes of SmolLM2-135M and Llama-3.1-8B]")
      ->type_name("DIR");
  app.add_option("--input,--train", request.input, "Prompts with answers, as for tune")
      ->type_name("FILE");
  app.add_option("--against", request.against, "tune: a second quant mode timed beside --quant")
      ->type_name("MODE");
  app.add_flag("--all-positions", request.all_positions,
               "tune: time a step with the logits of every token beside");
  app.add_option("--link", request.link,
                 "tune: megabytes per second of a slow link between ranks, timed beside the real "
                 "one")
      ->type_name("MB/S")
      ->check(CLI::NonNegativeNumber.description(""));
  app.add_option("--items", request.items, "info_nce: pairs, N [16384]");
  app.add_option("--width", request.width, "info_nce: elements of an embedding [128]");
  app.add_option("--temperature", request.temperature, "info_nce: divides the scores [0.1]");
  app.add_option("--count", request.count, "Prompts of the file that are used [32]");
  app.add_option("--repeats", request.repeats, "Timed runs of each arm [5]");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

Command bench_command() {
  Command command;
  command.name = "bench";
  command.group = kToolsGroup;
  command.summary = "Measures the engine: tune, embed, infer, load, matmul, info_nce or ctr";
  command.description =
      "Verifies that arms agree, times them in turn and prints one JSON line per arm: bench, arm, "
      "seconds (median), spread, peak_bytes (above the process before the model), work, rate, "
      "verified (largest difference), ratio, with configuration, processor, versions and commit. "
      "docs/benchmarks/engine.md says what each arm and ratio is.";
  command.example = "mpirun -n 2 rallrec bench tune --model DIR --input train.jsonl --quant w8a8";
  command.define = define;
  command.cpu_only = true;
  command.uses_model = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
