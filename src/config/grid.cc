#include "config/grid.h"

#include <algorithm>
#include <cctype>

#include "config/did_you_mean.h"
#include "config/grid_section.h"
#include "config/grid_settings.h"
#include "config/setting.h"
#include "core/error.h"

namespace rallrec::config {
namespace {

// Names become folders.
std::string folder_name(const GridSection& section) {
  if (section.node("name") == nullptr) {
    throw_usage(section.place() + ": 'name' is missing");
  }
  std::string name = section.text("name");
  const auto is_safe = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '+';
  };
  if (!std::all_of(name.begin(), name.end(), is_safe)) {
    section.fail("name", "made of letters, digits, '_', '-' and '+'");
  }
  return name;
}

GridDataset read_dataset(const GridSection& section) {
  GridDataset dataset;
  dataset.name = folder_name(section);
  dataset.configs = section.text("configs", ".");
  dataset.published = section.text("published");
  dataset.set = read_grid_settings(section);
  return dataset;
}

GridSystem read_system(const GridSection& section) {
  GridSystem system;
  system.name = folder_name(section);
  system.label = section.text("label", system.name);
  system.config = section.text("config", system.name + ".toml");
  system.adapter_of = section.text("adapter_of");
  system.reference = section.text("reference");
  system.helper = section.flag("helper");
  system.datasets = section.texts("datasets");
  system.set = read_grid_settings(section);
  system.place = section.place();
  system.sweep = read_grid_sweeps(section);
  return system;
}

template <typename Named>
Strings names_of(const std::vector<Named>& list) {
  Strings names;
  for (const Named& item : list) {
    names.push_back(item.name);
  }
  return names;
}

void require_known(const std::string& where, const char* what, const std::string& name,
                   const Strings& known) {
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    throw_usage(where + ": no " + what + " is called '" + name + "'" + did_you_mean(name, known) +
                "; known are " + joined(known));
  }
}

void require_distinct(const std::string& path, const char* what, Strings names) {
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    throw_usage(path + ": two " + what + " are called '" + *twice + "'; names must differ");
  }
}

// A swept seed would be overridden by the cell's.
void check_sweeps(const GridSystem& system, const Strings& seed_keys) {
  for (const GridSweep& sweep : system.sweep) {
    if (std::find(seed_keys.begin(), seed_keys.end(), sweep.key) != seed_keys.end()) {
      throw_usage(system.place + ": sweep over '" + sweep.key +
                  "', which takes the cell's seed; list the values in 'seeds', or leave the key "
                  "out of 'seed_keys'");
    }
  }
}

// Names that point at other parts of the grid.
void check_references(const std::string& path, const Grid& grid) {
  const Strings systems = names_of(grid.systems);
  const Strings datasets = names_of(grid.datasets);
  require_distinct(path, "systems", systems);
  require_distinct(path, "data sets", datasets);
  if (!grid.reference.empty()) {
    require_known(path + ": reference", "system", grid.reference, systems);
  }
  for (const GridSystem& system : grid.systems) {
    check_sweeps(system, grid.seed_keys);
    if (!system.reference.empty()) {
      require_known(system.place + ": reference", "system", system.reference, systems);
    }
    for (const std::string& name : system.datasets) {
      require_known(system.place, "data set", name, datasets);
    }
    if (system.adapter_of.empty()) {
      continue;
    }
    require_known(system.place + ": adapter_of", "system", system.adapter_of, systems);
    const auto trained = std::find_if(
        grid.systems.begin(), grid.systems.end(),
        [&system](const GridSystem& other) { return other.name == system.adapter_of; });
    if (!trained->adapter_of.empty() || !trained->sweep.empty()) {
      throw_usage(system.place + ": adapter_of names '" + trained->name + "', which " +
                  (trained->sweep.empty() ? "trains no adapter itself"
                                          : "has a sweep and so several adapters"));
    }
  }
}

// A seed that is named twice would count the same runs twice in means and deviations.
std::vector<std::int64_t> read_seeds(const GridSection& top) {
  std::vector<std::int64_t> seeds = top.integers("seeds", {42});
  std::vector<std::int64_t> sorted = seeds;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    top.fail("seeds", "integers that differ; " + std::to_string(*twice) + " is there twice");
  }
  return seeds;
}

}  // namespace

const std::string& reference_of(const Grid& grid, const GridSystem& system) {
  return system.reference.empty() ? grid.reference : system.reference;
}

Grid read_grid(const std::string& path) {
  const toml::table document = read_toml_document(path);
  const GridSection top(path, document, "",
                        {"title", "table", "reference", "published", "seeds", "seed_keys", "set",
                         "dataset", "system"});
  Grid grid;
  grid.title = top.text("title");
  grid.table = top.text("table");
  grid.reference = top.text("reference");
  grid.published = top.text("published");
  grid.seeds = read_seeds(top);
  grid.seed_keys = top.texts("seed_keys", {"tune.seed", "baseline.seed"});
  for (const std::string& key : grid.seed_keys) {
    if (!std::holds_alternative<std::int64_t>(field_named(key, path + ": seed_keys").fallback)) {
      top.fail("seed_keys", "keys that take an integer; '" + key + "' does not");
    }
  }
  grid.set = read_grid_settings(top);
  for (const toml::table* table : top.tables("dataset")) {
    grid.datasets.push_back(
        read_dataset({path, *table, "dataset", {"name", "configs", "published", "set"}}));
  }
  const Strings system_keys = {"name",   "label",    "config", "adapter_of", "reference",
                               "helper", "datasets", "set",    "sweep"};
  for (const toml::table* table : top.tables("system")) {
    grid.systems.push_back(read_system({path, *table, "system", system_keys}));
  }
  check_references(path, grid);
  return grid;
}

}  // namespace rallrec::config
