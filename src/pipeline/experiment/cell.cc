#include "pipeline/experiment/cell.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "config/did_you_mean.h"
#include "config/field.h"
#include "core/error.h"
#include "io/files.h"
#include "io/json_writer.h"

namespace rallrec::pipeline {
namespace {

namespace fs = std::filesystem;

using config::FlagSetting;
using config::Grid;
using config::GridSystem;

// Names of the configs in a folder, for the message about one that is not there.
std::vector<std::string> configs_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".toml") {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string config_of(const Cell& cell, const std::string& grid_file) {
  const fs::path folder = fs::path(io::folder_of(grid_file)) / cell.dataset->configs;
  const std::string path = (folder / cell.system->config).lexically_normal().string();
  if (!io::file_exists(path)) {
    const std::vector<std::string> names = configs_in(folder);
    throw_missing(path, "no such config; system '" + cell.system->name + "' at " +
                            cell.system->place + " names it" +
                            config::did_you_mean(cell.system->config, names) + "; there are " +
                            (names.empty() ? "none" : config::joined(names)));
  }
  return path;
}

// A value as part of a folder's name: ["a", "b"] as a+b, "2/3" as 2_3.
std::string folder_part(const FlagSetting& setting) {
  std::string part = setting.name + "-";
  for (const char c : setting.value) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' ||
                       c == '-' || c == '+';
    if (plain) {
      part += c;
    } else if (c == ',') {
      part += '+';
    } else if (c == '/') {
      part += '_';
    }
  }
  return part;
}

std::string folder_of(const Cell& cell) {
  std::string folder = "cells/" + cell.dataset->name + "/" + cell.system->name;
  for (const FlagSetting& setting : cell.sweep) {
    folder.append("/").append(folder_part(setting));
  }
  return folder + "/seed-" + std::to_string(cell.seed);
}

void append(const std::vector<FlagSetting>& more, std::vector<FlagSetting>& settings) {
  settings.insert(settings.end(), more.begin(), more.end());
}

// The adapter of another system's cell for this one's data set and seed.
std::string adapter_folder(const Cell& cell, const std::string& experiment) {
  GridSystem trained;
  trained.name = cell.system->adapter_of;
  Cell other = cell;
  other.system = &trained;
  other.sweep.clear();
  return experiment + "/" + folder_of(other) + "/tune/adapter";
}

void add_settings(const Grid& grid, const CellSources& from, Cell& cell) {
  append(grid.set, cell.settings);
  append(cell.dataset->set, cell.settings);
  append(cell.system->set, cell.settings);
  append(cell.sweep, cell.settings);
  for (const std::string& key : grid.seed_keys) {
    cell.settings.push_back({key, std::to_string(cell.seed), from.grid_file + ": seeds"});
  }
  if (!cell.system->adapter_of.empty()) {
    cell.settings.push_back({"infer.adapter", config::to_toml(adapter_folder(cell, from.folder)),
                             cell.system->place + ": adapter_of"});
  }
}

bool has_stage(const Cell& cell, const char* stage) {
  return std::count(cell.stages.begin(), cell.stages.end(), stage) > 0;
}

void load_options(const CellSources& from, Cell& cell) {
  config::Sources sources = from.sources;
  sources.file = config_of(cell, from.grid_file);
  sources.settings = cell.settings;
  sources.flags.erase(
      std::remove_if(sources.flags.begin(), sources.flags.end(),
                     [](const FlagSetting& flag) { return flag.name == "output.run_dir"; }),
      sources.flags.end());
  const config::Config config = config::load_config(sources);
  for (const FlagSetting& swept : cell.sweep) {
    if (config.origins.at(swept.name) != swept.flag) {
      throw_usage(swept.flag + ": the swept '" + swept.name + "' is overridden by " +
                  config.origins.at(swept.name) + "; leave that out");
    }
  }
  cell.options = config.options;
  cell.options.output.run_dir = from.folder + "/" + cell.folder;
  cell.stages = cell.options.stages;
  if (!has_stage(cell, "evaluate")) {
    throw_usage(sources.file + ": 'stages' lacks evaluate, which an experiment needs");
  }
  if (!cell.system->adapter_of.empty()) {
    if (!has_stage(cell, "infer")) {
      throw_usage(cell.system->place + ": adapter_of: the stages of " + sources.file +
                  " have no infer, so nothing is scored with an adapter");
    }
    cell.stages.erase(std::remove(cell.stages.begin(), cell.stages.end(), "tune"),
                      cell.stages.end());
  }
}

// Every choice of one value per sweep, the last sweep's values going by first.
std::vector<std::vector<FlagSetting>> points_of(const std::vector<config::GridSweep>& sweeps) {
  std::vector<std::vector<FlagSetting>> points(1);
  for (const config::GridSweep& sweep : sweeps) {
    std::vector<std::vector<FlagSetting>> longer;
    for (const auto& point : points) {
      for (const FlagSetting& value : sweep.values) {
        longer.push_back(point);
        longer.back().push_back(value);
      }
    }
    points = std::move(longer);
  }
  return points;
}

// The cells whose adapter others score with train one.
void require_adapters(const std::vector<Cell>& cells) {
  for (const Cell& cell : cells) {
    for (const Cell& other : cells) {
      if (cell.system->adapter_of == other.system->name && cell.dataset == other.dataset &&
          !has_stage(other, "tune")) {
        throw_usage(cell.system->place + ": adapter_of names '" + other.system->name +
                    "', whose stages have no tune");
      }
    }
  }
}

void require_systems(const Grid& grid, const std::vector<std::string>& only) {
  std::vector<std::string> known;
  for (const GridSystem& system : grid.systems) {
    known.push_back(system.name);
  }
  for (const std::string& name : only) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw_usage("--only: no system is called '" + name + "'" + config::did_you_mean(name, known) +
                  "; the grid has " + config::joined(known));
    }
  }
}

bool takes_part(const GridSystem& system, const std::string& dataset,
                const std::vector<std::string>& only) {
  const auto lists = [](const std::vector<std::string>& names, const std::string& name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  };
  return lists(only, system.name) && lists(system.datasets, dataset);
}

// Those that train before those that use what was trained.
std::vector<const GridSystem*> in_order(const Grid& grid, const std::string& dataset,
                                        const std::vector<std::string>& only) {
  std::vector<const GridSystem*> systems;
  for (const GridSystem& system : grid.systems) {
    if (takes_part(system, dataset, only)) {
      systems.push_back(&system);
    }
  }
  std::stable_partition(systems.begin(), systems.end(),
                        [](const GridSystem* system) { return system->adapter_of.empty(); });
  return systems;
}

}  // namespace

std::vector<Cell> unroll(const Grid& grid, const CellSources& from,
                         const std::vector<std::string>& only) {
  require_systems(grid, only);
  std::vector<Cell> cells;
  for (const config::GridDataset& dataset : grid.datasets) {
    for (const std::int64_t seed : grid.seeds) {
      for (const GridSystem* system : in_order(grid, dataset.name, only)) {
        for (const auto& point : points_of(system->sweep)) {
          Cell cell;
          cell.dataset = &dataset;
          cell.system = system;
          cell.seed = seed;
          cell.sweep = point;
          cell.folder = folder_of(cell);
          add_settings(grid, from, cell);
          load_options(from, cell);
          cells.push_back(std::move(cell));
        }
      }
    }
  }
  require_adapters(cells);
  return cells;
}

std::string name_of(const Cell& cell) {
  std::string name = cell.dataset->name + " " + cell.system->name;
  for (const FlagSetting& setting : cell.sweep) {
    name.append(" ").append(setting.name).append("=").append(setting.value);
  }
  return name + " seed " + std::to_string(cell.seed);
}

std::string settings_json(const std::vector<FlagSetting>& settings) {
  io::JsonObjectWriter object;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const bool stands =
        std::none_of(settings.begin() + static_cast<std::ptrdiff_t>(i) + 1, settings.end(),
                     [&](const FlagSetting& later) { return later.name == settings[i].name; });
    if (stands) {
      // The values are TOML of one line, which JSON writes alike.
      object.add_json(settings[i].name, settings[i].value);
    }
  }
  return object.text();
}

}  // namespace rallrec::pipeline
