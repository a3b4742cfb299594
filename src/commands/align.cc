#include "pipeline/align.h"

#include <memory>

#include "commands/command_list.h"
#include "commands/stage_command.h"
#include "io/files.h"

namespace rallrec::commands {
namespace {

int run_on_files(const pipeline::AlignFiles& files, CommandContext& context) {
  require_flag(files.text, "--text", "--graph and --output");
  require_flag(files.graph, "--graph", "--text and --output");
  require_flag(files.output, "--output", "--text and --graph");
  io::require_plain_file(files.text);
  io::require_plain_file(files.graph);
  require_output(files.output, {files.text, files.graph}, context);
  pipeline::align_on_files(files, context.options, context.communicator);
  return 0;
}

Runner define(CLI::App& app) {
  const auto files = std::make_shared<pipeline::AlignFiles>();
  const auto* text =
      app.add_option("--text", files->text, ".npy matrix of text embeddings, one row per item")
          ->type_name("FILE");
  const auto* graph = app.add_option("--graph", files->graph,
                                     ".npy matrix of graph embeddings, same rows; zero = no edge")
                          ->type_name("FILE");
  const auto* output =
      app.add_option("--output", files->output, ".npy file for the projected text embeddings")
          ->type_name("FILE");
  return stage_or_files(app, "align", {text, graph, output},
                        [files](CommandContext& context) { return run_on_files(*files, context); });
}

}  // namespace

Command align_command() {
  Command command;
  command.name = "align";
  command.group = kStagesGroup;
  command.summary = "Text embeddings projected into the space of the graph";
  command.description =
      "Trains a two-layer MLP that maps text embeddings onto graph embeddings with the symmetric "
      "InfoNCE loss over all items that have a graph vector, then projects every item. Settings "
      "are the keys of section [align], for example --set align.temperature=0.2.";
  command.example = "rallrec align --text text.npy --graph graph.npy --output aligned.npy";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
