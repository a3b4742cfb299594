#include "commands/command_list.h"
#include "commands/stage_command.h"

namespace rallrec::commands {

Command retrieve_command() {
  Command command;
  command.name = "retrieve";
  command.group = kStagesGroup;
  command.summary = "Item vectors and each sample's nearest history";
  command.description =
      "Mixes text, graph and aligned embeddings into one vector per item, each part with length 1, "
      "and finds for every sample the items of the user's own history that are nearest to the "
      "target.";
  command.example = "rallrec retrieve --config configs/demo.toml";
  command.define = [](CLI::App& app) { return stage_only(app, "retrieve"); };
  return command;
}

}  // namespace rallrec::commands
