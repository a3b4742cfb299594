#include "config/grid_settings.h"

#include <algorithm>
#include <utility>

#include "config/setting.h"
#include "core/error.h"

namespace rallrec::config {
namespace {

// The node in TOML, for reading it with the type of its key.
std::string toml_text(const toml::node& node, const std::string& where) {
  if (node.is_boolean()) {
    return to_toml(node.as_boolean()->get());
  }
  if (node.is_integer()) {
    return to_toml(node.as_integer()->get());
  }
  if (node.is_floating_point()) {
    return to_toml(node.as_floating_point()->get());
  }
  if (node.is_string()) {
    return to_toml(node.as_string()->get());
  }
  const toml::array* list = node.as_array();
  if (list == nullptr || !(list->empty() || list->is_homogeneous<std::string>())) {
    throw_usage(where + ": must be a value that a config file can hold");
  }
  Strings strings;
  for (const toml::node& item : *list) {
    strings.push_back(item.as_string()->get());
  }
  return to_toml(strings);
}

FlagSetting setting_of(const Field& field, const toml::node& node, const std::string& path) {
  const std::string where = place_of(path, node.source().begin);
  const Setting setting = read_text_setting(field, toml_text(node, where), where);
  return {field.name(), to_toml(setting.value), where};
}

void require_new(const std::vector<FlagSetting>& settings, const std::string& name,
                 const std::string& where) {
  const auto before = std::find_if(settings.begin(), settings.end(),
                                   [&](const FlagSetting& one) { return one.name == name; });
  if (before != settings.end()) {
    throw_usage(where + ": '" + name + "' is set twice, before at " + before->flag);
  }
}

// {"section.key" = value} and {section = {key = value}} alike.
void add_settings(const std::string& path, const toml::table& table, const std::string& prefix,
                  std::vector<FlagSetting>& settings) {
  for (auto&& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      add_settings(path, *inner, name + ".", settings);
    } else {
      const std::string where = place_of(path, key.source().begin);
      const Field& field = field_named(name, where);
      require_new(settings, name, where);
      settings.push_back(setting_of(field, node, path));
    }
  }
}

const toml::array& swept_values(const toml::node& node, const std::string& where,
                                const std::string& name) {
  const toml::array* values = node.as_array();
  if (values == nullptr || values->empty()) {
    throw_usage(where + ": sweep over '" + name + "' must be a list of its values");
  }
  return *values;
}

// Two equal values would be the same run twice.
void add_value(FlagSetting value, GridSweep& sweep) {
  for (const FlagSetting& other : sweep.values) {
    if (other.value == value.value) {
      throw_usage(value.flag + ": sweep over '" + sweep.key + "' has " + value.value + " twice");
    }
  }
  sweep.values.push_back(std::move(value));
}

void add_sweeps(const std::string& path, const toml::table& table, const std::string& prefix,
                std::vector<GridSweep>& sweeps) {
  for (auto&& [key, node] : table) {
    std::string name = prefix;
    name.append(key.str());
    const std::string where = place_of(path, key.source().begin);
    if (const toml::table* inner = node.as_table()) {
      add_sweeps(path, *inner, name.append("."), sweeps);
      continue;
    }
    const Field& field = field_named(name, where);
    sweeps.push_back({name, {}});
    for (const toml::node& value : swept_values(node, where, name)) {
      add_value(setting_of(field, value, path), sweeps.back());
    }
  }
}

}  // namespace

std::vector<FlagSetting> read_grid_settings(const GridSection& section) {
  std::vector<FlagSetting> settings;
  if (const toml::table* table = section.table("set")) {
    add_settings(section.path(), *table, "", settings);
  }
  return settings;
}

std::vector<GridSweep> read_grid_sweeps(const GridSection& section) {
  std::vector<GridSweep> sweeps;
  if (const toml::table* table = section.table("sweep")) {
    add_sweeps(section.path(), *table, "", sweeps);
  }
  return sweeps;
}

}  // namespace rallrec::config
