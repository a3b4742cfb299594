#include <cstdio>
#include <memory>

#include "commands/checks.h"
#include "commands/command_list.h"
#include "config/write.h"

namespace rallrec::commands {
namespace {

Runner define(CLI::App& app) {
  const auto action = std::make_shared<std::string>();
  app.add_option("action", *action, "show: print every key with value, origin and help")
      ->required()
      ->check(one_of({"show"}))
      ->type_name("");
  return [action](CommandContext& context) {
    if (context.communicator.rank() == 0) {
      std::fputs(config::described_toml({context.options, context.origins}).c_str(), stdout);
    }
    return 0;
  };
}

}  // namespace

Command config_command() {
  Command command;
  command.name = "config";
  command.summary = "`config show` prints every setting with its origin";
  command.description =
      "Prints the complete settings of a run as TOML: each key with its value, what it does, and "
      "in brackets where the value comes from: the default, the mode, a line of the file, an "
      "environment variable or the command line.";
  command.example = "rallrec config show --config configs/demo.toml --set tune.epochs=2";
  command.define = define;
  command.uses_model = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
