#pragma once

#include <string>
#include <vector>

#include "commands/command.h"
#include "config/load.h"

namespace rallrec::commands {

// The flags that commands share, as text; config::load_config gives them their types.
struct CommonOptions {
  std::string config_file;
  std::vector<std::string> sets;
  std::string run_dir;
  std::string threads;
  std::string device;
  std::string quant;
  std::string max_bad_rows;
  std::string resume = "auto";
  bool verbose = false;
  bool quiet = false;
};

// Adds the common flags that `command` asks for; `common` must outlive the parsing.
void add_common_options(CLI::App& app, const Command& command, CommonOptions& common);

// What the flags and the environment say, for load_config. With --run-dir and no --config the run's
// own config.resolved.toml is the file, where there is one.
config::Sources sources_of(const CommonOptions& common);

// --set and the common flags of this command line as words of another one, but for the flag that
// sets the key `without`.
std::vector<std::string> words_of(const config::Sources& sources, const std::string& without = "");

}  // namespace rallrec::commands
