#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/options.h"

namespace rallrec::config {

// A key that a command-line flag of its own sets: {"cluster.threads", "4", "--threads"}, or a grid:
// {"prompt.k", "10", "grid.toml:7:3"}.
struct FlagSetting {
  std::string name;
  std::string value;
  std::string flag;  // or another place
};

// Where values come from, weakest first; a key that no source names keeps its default.
struct Sources {
  std::string file;                      // a TOML file, or ""
  std::vector<FlagSetting> settings;     // what a grid sets on top of the file, later ones win
  std::vector<std::string> environment;  // "NAME=value"; see environment_name()
  std::vector<std::string> sets;         // "section.key=value" of --set, later ones win
  std::vector<FlagSetting> flags;
};

struct Config {
  Options options;
  // For every key, by full name: "default", "mode clean", "file:line:column",
  // "environment NAME", "--set" or the flag.
  std::map<std::string, std::string> origins;
};

// Reads all sources and checks every value. A value of --set or the environment is TOML, or a bare
// text; a list may be written a,b. Wrong keys, types and ranges throw with exit code 64 and name
// the place and the nearest key; a missing file throws with 66.
Config load_config(const Sources& sources);

// The variable that sets a key: RALLREC_ + SECTION + __ + KEY in capitals ("RALLREC_TUNE__EPOCHS"),
// or RALLREC_MODE. Variables that begin with RALLREC_ and hold "__" but name no key are errors; all
// others are ignored.
std::string environment_name(const std::string& section, const std::string& key);

// The process's environment as Sources wants it.
std::vector<std::string> process_environment();

}  // namespace rallrec::config
