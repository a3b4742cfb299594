// A grid of runs: systems × data sets × values of a sweep × seeds. docs/formats.md shows the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/load.h"

namespace rallrec::config {

struct GridDataset {
  std::string name;
  // Folder of the run configs, relative to the grid's.
  std::string configs;
  // Name under which the published numbers have it; empty = none to show.
  std::string published;
  std::vector<FlagSetting> set;
};

// One key that takes several values, each with the others' every value.
struct GridSweep {
  std::string key;
  std::vector<FlagSetting> values;
};

struct GridSystem {
  std::string name;
  // As tables show it.
  std::string label;
  // A file in the data set's folder.
  std::string config;
  // Its cells score with the adapter that this system's cell of the same data set and seed has
  // trained; empty = their own.
  std::string adapter_of;
  // The system that it is compared with; empty = the grid's reference.
  std::string reference;
  // Shown, but neither the best of a column nor compared: it trains what others score with.
  bool helper = false;
  // Names of the data sets that it is run on; empty = all.
  std::vector<std::string> datasets;
  std::vector<FlagSetting> set;
  std::vector<GridSweep> sweep;
  // Where it stands in the file, for messages.
  std::string place;
};

struct Grid {
  std::string title;
  // Which of the paper's tables or figures it stands for ("table1", "figure3", …); names the
  // section of the published numbers.
  std::string table;
  // The system that others are compared with, unless they name one; empty = no comparison.
  std::string reference;
  // File with the published numbers, relative to the grid's folder; empty = none.
  std::string published;
  std::vector<std::int64_t> seeds;
  // Keys that a cell's seed is given to.
  std::vector<std::string> seed_keys;
  std::vector<FlagSetting> set;
  std::vector<GridDataset> datasets;
  std::vector<GridSystem> systems;
};

// The name of the system that `system` is compared with; empty = none.
const std::string& reference_of(const Grid& grid, const GridSystem& system);

// Reads a grid file. Values of settings are checked for type here and for range when the config of
// a cell is loaded. Throws with exit code 64, file:line:column and what is known, where a key or a
// name is not; with 66 where there is no file.
Grid read_grid(const std::string& path);

}  // namespace rallrec::config
