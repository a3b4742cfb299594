#include "pipeline/bench/bench.h"

#include <algorithm>
#include <memory>

#include "commands/bench_scaling.h"
#include "commands/checks.h"
#include "commands/command_list.h"
#include "core/error.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::string name;
  ScalingRequest scaling;
};

constexpr const char* kScaling = "scaling";

void refuse_cuda(const std::string& name, const CommandContext& context) {
  if (context.options.cluster.device == "cuda") {
    throw_usage("bench " + name + ": this bench cannot run on CUDA yet; use --device cpu");
  }
}

int run(const Flags& flags, CommandContext& context) {
  const pipeline::BenchRequest& request = flags.scaling.bench;
  if (request.repeats < 1 || request.count < 1) {
    throw_usage("bench: --repeats and --count must be at least 1");
  }
  if (flags.name == kScaling) {
    refuse_cuda(flags.name, context);
    return run_scaling(flags.scaling, context);
  }
  const auto& table = pipeline::bench_table();
  const auto bench = std::find_if(table.begin(), table.end(), [&](const pipeline::Bench& one) {
    return one.name == flags.name;
  });
  if (bench == table.end()) {
    std::string names = kScaling;
    for (const pipeline::Bench& one : table) {
      names.append(", ").append(one.name);
    }
    throw_usage("bench '" + flags.name + "': expected one of " + names);
  }
  if (!bench->on_gpus) {
    refuse_cuda(flags.name, context);
  }
  if (bench->needs_model && (request.model.empty() || request.input.empty())) {
    throw_usage("bench " + flags.name + " needs --model DIR and --input FILE");
  }
  bench->run({request, context.options, context.communicator});
  return 0;
}

void define_scaling(CLI::App& app, ScalingRequest& scaling) {
  app.add_option("--ranks", scaling.ranks, "scaling: numbers of ranks, comma-separated [1,2]")
      ->delimiter(',')
      ->check(whole_number_from(1))
      ->type_name("N,N,…");
  app.add_option("--mode", scaling.mode,
                 "scaling: strong (the same work for all) or weak (--count and --edges for each "
                 "rank) [strong]")
      ->check(one_of({"strong", "weak"}))
      ->type_name("");
  app.add_option("--stage", scaling.bench.stage,
                 "scaling, stage: tune, embed, infer or light_gcn [tune]")
      ->check(one_of({"tune", "embed", "infer", "light_gcn"}))
      ->type_name("");
  app.add_option("--launcher", scaling.launcher,
                 "scaling: what starts {ranks} ranks [mpirun -n {ranks} --bind-to none "
                 "--oversubscribe]")
      ->type_name("LINE");
  app.add_option("--output", scaling.output,
                 "scaling: folder for scaling.csv, scaling.json and scaling.png [none]")
      ->type_name("DIR");
  app.add_flag("--mllog", scaling.mllog, "scaling: print MLPerf's :::MLLOG lines too");
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  std::string names = "Which one:\nscaling: a stage on several numbers of ranks, with efficiency";
  for (const pipeline::Bench& bench : pipeline::bench_table()) {
    names.append("\n").append(bench.name).append(": ").append(bench.summary);
  }
  app.add_option("name", flags->name, names)->required()->type_name("BENCH");
  define_scaling(app, flags->scaling);
  pipeline::BenchRequest& request = flags->scaling.bench;
  app.add_option(
         "--model", request.model,
         "Hugging Face folder of the model; matmul: [shapes of SmolLM2-135M and Llama-3.1-8B]")
      ->type_name("DIR");
  app.add_option("--input,--train", request.input,
                 "Prompts with answers, as for tune; tokenize: {\"text\"} lines; light_gcn: "
                 ".inter; auc: .npy, rows "
                 "of score and label")
      ->type_name("FILE");
  app.add_option("--against", request.against, "tune: a second quant mode timed beside --quant")
      ->type_name("MODE");
  app.add_flag("--all-positions", request.all_positions,
               "tune: time a step with the logits of every token beside");
  app.add_option("--link", request.link,
                 "tune: megabytes per second of a slow link between ranks, timed beside the real "
                 "one")
      ->type_name("MB/S")
      ->check(number_from(0.0));
  app.add_option("--edges", request.edges, "light_gcn: edges of the made-up graph [100000]");
  app.add_option("--items", request.items,
                 "info_nce: pairs, N; retrieve: items of the catalogue [16384]");
  app.add_option("--width", request.width, "info_nce, retrieve: elements of an embedding [128]");
  app.add_option("--temperature", request.temperature, "info_nce: divides the scores [0.1]");
  app.add_option("--count", request.count,
                 "Prompts or texts of the file that are used; retrieve: queries [32]");
  app.add_option("--repeats", request.repeats, "Timed runs of each arm [5]");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

Command bench_command() {
  Command command;
  command.name = "bench";
  command.group = kToolsGroup;
  command.summary = "Measures one part of the program against another way to do the same";
  command.description =
      "Verifies that arms agree, times them in turn and prints one JSON line per arm: bench, arm, "
      "seconds (median), spread, peak_bytes (above the process before the model), work, rate, "
      "verified (largest difference), ratio (null where there is none, as for what was not "
      "measured), "
      "with the settings it goes by, processor, versions and commit. "
      "docs/benchmarks/engine.md says what each arm and ratio is.";
  command.example = "mpirun -n 2 rallrec bench tune --model DIR --input train.jsonl --quant w8a8";
  command.define = define;
  command.uses_model = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
