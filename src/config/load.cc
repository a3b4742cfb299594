#include "config/load.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "config/did_you_mean.h"
#include "config/mode.h"
#include "config/setting.h"
#include "core/error.h"

namespace rallrec::config {
namespace {

std::string upper(std::string text) {
  for (char& c : text) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

void add_environment(const std::vector<std::string>& environment, std::vector<Setting>& settings) {
  const std::string prefix = "RALLREC_";
  Strings names;
  for (const Field& field : fields()) {
    names.push_back(environment_name(field.section, field.key));
  }
  for (const std::string& entry : environment) {
    const std::string name = entry.substr(0, entry.find('='));
    const bool ours = name.rfind(prefix, 0) == 0 && name.size() < entry.size();
    const auto found = std::find(names.begin(), names.end(), name);
    if (ours && found != names.end()) {
      const Field& field = fields()[static_cast<std::size_t>(found - names.begin())];
      settings.push_back(
          read_text_setting(field, entry.substr(name.size() + 1), "environment " + name));
    } else if (ours && name.find("__") != std::string::npos) {
      throw_usage("environment " + name + ": names no key" + did_you_mean(name, names));
    }
  }
}

void add_sets(const std::vector<std::string>& sets, std::vector<Setting>& settings) {
  for (const std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos) {
      throw_usage("--set " + set + ": must be section.key=value");
    }
    const Field& field = field_named(set.substr(0, equals), "--set");
    Setting setting = read_text_setting(field, set.substr(equals + 1), "--set " + set);
    setting.origin = "--set";
    settings.push_back(setting);
  }
}

void add_named(const std::vector<FlagSetting>& named, std::vector<Setting>& settings) {
  for (const FlagSetting& flag : named) {
    settings.push_back(read_text_setting(field_named(flag.name, flag.flag), flag.value, flag.flag));
  }
}

// What a value must be, or "". Names of files are handed on as C strings, which end at a NUL.
std::string problem_of(const Setting& setting) {
  const auto* text = std::get_if<std::string>(&setting.value);
  if (text != nullptr && text->find('\0') != std::string::npos) {
    return "must be without NUL (\\u0000)";
  }
  return setting.field->check(setting.value);
}

void apply(const Setting& setting, Config& config) {
  const std::string problem = problem_of(setting);
  if (!problem.empty()) {
    throw_usage(setting.origin + ": '" + setting.field->name() + "' " + problem + "; it is " +
                to_toml(setting.value));
  }
  setting.field->set(config.options, setting.value);
  config.origins[setting.field->name()] = setting.origin;
}

// Rules that join several keys.
void check_together(const Config& config) {
  const DataOptions& data = config.options.data;
  if (data.train_share + data.valid_share >= 1.0) {
    throw_usage(config.origins.at("data.train_share") +
                ": 'data.train_share' + 'data.valid_share' must be below 1, or no test is left");
  }
  if (config.options.mode == "clean" && config.options.light_gcn.edges != "up_to_last_train") {
    throw_usage(config.origins.at("light_gcn.edges") + ": 'light_gcn.edges' = \"" +
                config.options.light_gcn.edges +
                "\" makes edges of test interactions, which mode clean rules out; leave it out, or "
                "set mode = \"paper\"");
  }
  const RetrieveOptions& retrieve = config.options.retrieve;
  if (retrieve.hybrid != "none" && retrieve.blocks.size() != 2) {
    throw_usage(config.origins.at("retrieve.hybrid") + ": 'retrieve.hybrid' = \"" +
                retrieve.hybrid + "\" joins two blocks, and 'retrieve.blocks' names " +
                std::to_string(retrieve.blocks.size()));
  }
  if (data.split == "shuffle" && data.samples != "last_per_user") {
    throw_usage(config.origins.at("data.split") +
                ": 'data.split' = \"shuffle\" needs 'data.samples' = \"last_per_user\": else "
                "histories of train would show answers of test");
  }
  if (config.options.align.batch_size == 1) {
    throw_usage(
        config.origins.at("align.batch_size") +
        ": 'align.batch_size' = 1 leaves no negatives; expected 0 (all items) or at least 2");
  }
  const BaselineOptions& baseline = config.options.baseline;
  if (baseline.attention_size % baseline.attention_heads != 0) {
    throw_usage(config.origins.at("baseline.attention_size") +
                ": 'baseline.attention_size' must be a multiple of 'baseline.attention_heads'; "
                "they are " +
                std::to_string(baseline.attention_size) + " and " +
                std::to_string(baseline.attention_heads));
  }
}

}  // namespace

const Field& field_named(const std::string& name, const std::string& where) {
  const Field* field = find_field(name);
  if (field != nullptr) {
    return *field;
  }
  Strings names;
  for (const Field& candidate : fields()) {
    names.push_back(candidate.name());
  }
  throw_usage(where + ": unknown key '" + name + "'" + did_you_mean(name, names));
}

std::string environment_name(const std::string& section, const std::string& key) {
  return "RALLREC_" + (section.empty() ? "" : upper(section) + "__") + upper(key);
}

std::vector<std::string> process_environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    entries.emplace_back(*entry);
  }
  return entries;
}

Config load_config(const Sources& sources) {
  std::vector<Setting> settings;
  if (!sources.file.empty()) {
    settings = read_toml_settings(sources.file);
  }
  add_named(sources.settings, settings);
  add_environment(sources.environment, settings);
  add_sets(sources.sets, settings);
  add_named(sources.flags, settings);

  Config config;
  for (const Field& field : fields()) {
    config.origins[field.name()] = "default";
  }
  // The mode's defaults lie under every key that a source names, so what they go by comes first.
  for (const Setting& setting : settings) {
    if (setting.field->name() == "mode" || setting.field->name() == "data.dataset") {
      apply(setting, config);
    }
  }
  for (const Setting& setting : mode_settings(config.options.mode, config.options.data.dataset)) {
    apply(setting, config);
  }
  for (const Setting& setting : settings) {
    apply(setting, config);
  }
  check_together(config);
  return config;
}

}  // namespace rallrec::config
