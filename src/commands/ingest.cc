#include "commands/command_list.h"
#include "commands/stage_command.h"

namespace rallrec::commands {

Command ingest_command() {
  Command command;
  command.name = "ingest";
  command.group = kStagesGroup;
  command.summary = "Raw data set to users, items, histories and splits";
  command.description =
      "Reads the raw files that data.path names and writes users, items, fields, time-ordered "
      "histories, samples and splits into the run folder as ingest/interactions.h5.";
  command.example = "rallrec ingest --config configs/demo.toml";
  command.define = [](CLI::App& app) { return stage_only(app, "ingest"); };
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
