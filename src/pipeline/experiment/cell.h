#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/grid.h"
#include "config/load.h"
#include "config/options.h"

namespace rallrec::pipeline {

// One run of an experiment: a system on a data set with a value of every sweep and a seed.
struct Cell {
  const config::GridDataset* dataset = nullptr;
  const config::GridSystem* system = nullptr;
  std::int64_t seed = 0;
  std::vector<config::FlagSetting> sweep;  // one per swept key
  // All settings of the grid that apply, the sweep's and the seed's included.
  std::vector<config::FlagSetting> settings;
  // Relative to the experiment's folder: cells/<data set>/<system>[/<key>-<value>…]/seed-<seed>.
  std::string folder;
  config::Options options;  // with output.run_dir
  std::vector<std::string> stages;
};

// What a grid is unrolled with.
struct CellSources {
  std::string grid_file;
  std::string folder;  // the experiment's
  // Of the command line; `file` is not used, output.run_dir neither.
  config::Sources sources;
};

// The cells of the systems named in `only` (all where it is empty), data set by data set and seed
// by seed, in the order of the file but with systems that use another's adapter behind all that
// train one. Loads every cell's config: throws Error (usage) where a name or a value is wrong,
// missing input where a config is not there, which says what is. The cells point into `grid`.
std::vector<Cell> unroll(const config::Grid& grid, const CellSources& from,
                         const std::vector<std::string>& only);

// "ml-1m rallrec prompt.k=5 seed 42".
std::string name_of(const Cell& cell);

// {"prompt.k": 5, …}.
std::string settings_json(const std::vector<config::FlagSetting>& settings);

}  // namespace rallrec::pipeline
