#include "commands/command_list.h"

namespace rallrec::commands {

const std::vector<Command>& command_table() {
  // In the order of the overview; one line per command.
  // clang-format off
  static const std::vector<Command> table = {
      run_command(),
      ingest_command(),
      light_gcn_command(),
      retrieve_command(),
      prompt_command(),
      tune_command(),
      infer_command(),
      evaluate_command(),
      tokenize_command(),
      inspect_command(),
      config_command(),
  };
  // clang-format on
  return table;
}

}  // namespace rallrec::commands
