#include "pipeline/ingest.h"

#include <memory>

#include "commands/command_list.h"
#include "commands/stage_command.h"
#include "io/files.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::string data;
  std::string dataset;
  std::string output;
};

int ingest_files(const Flags& flags, CommandContext& context) {
  require_flag(flags.data, "--data", "--dataset and --output");
  require_flag(flags.output, "--output", "--data");
  context.options.data.path = flags.data;
  if (!flags.dataset.empty()) {
    context.options.data.dataset = flags.dataset;
  }
  if (context.communicator.rank() == 0) {
    io::make_directories(flags.output);
  }
  context.communicator.barrier();
  pipeline::StageContext stage{context.options, context.communicator, flags.output};
  pipeline::run_ingest(stage);
  return 0;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  const CLI::Option* data =
      app.add_option("--data", flags->data, "Folder with raw files")->type_name("DIR");
  const CLI::Option* dataset =
      app.add_option("--dataset", flags->dataset,
                     "Their layout: movielens-100k, movielens-1m or atomic [data.dataset]")
          ->type_name("NAME");
  const CLI::Option* output =
      app.add_option("--output", flags->output, "Folder that receives ingest/interactions.h5")
          ->type_name("DIR");
  return stage_or_files(app, "ingest", {data, dataset, output},
                        [flags](CommandContext& context) { return ingest_files(*flags, context); });
}

}  // namespace

Command ingest_command() {
  Command command;
  command.name = "ingest";
  command.group = kStagesGroup;
  command.summary = "Raw data set to users, items, histories and splits";
  command.description =
      "Reads the raw files that data.path or --data names and writes users, items, fields, "
      "time-ordered histories, samples and splits as ingest/interactions.h5 into the run folder "
      "or the folder --output.";
  command.example = "rallrec ingest --data my-data --dataset atomic --output my-run";
  command.define = define;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
