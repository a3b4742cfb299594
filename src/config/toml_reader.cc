#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "config/did_you_mean.h"
#include "config/setting.h"
#include "config/toml_document.h"
#include "core/error.h"

namespace rallrec::config {
namespace {

namespace fs = std::filesystem;

std::optional<Value> strings_of(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    return std::nullopt;
  }
  Strings strings;
  for (const toml::node& item : *list) {
    if (!item.is_string()) {
      return std::nullopt;
    }
    strings.push_back(item.as_string()->get());
  }
  return Value(strings);
}

// The node's value where its type is the field's; integers are taken for numbers.
std::optional<Value> typed_value(const Field& field, const toml::node& node) {
  if (std::holds_alternative<Strings>(field.fallback)) {
    return strings_of(node);
  }
  if (std::holds_alternative<bool>(field.fallback) && node.is_boolean()) {
    return Value(node.as_boolean()->get());
  }
  if (std::holds_alternative<std::int64_t>(field.fallback) && node.is_integer()) {
    return Value(node.as_integer()->get());
  }
  if (std::holds_alternative<double>(field.fallback) && node.is_number()) {
    return Value(node.is_integer() ? static_cast<double>(node.as_integer()->get())
                                   : node.as_floating_point()->get());
  }
  if (std::holds_alternative<std::string>(field.fallback) && node.is_string()) {
    return Value(node.as_string()->get());
  }
  return std::nullopt;
}

[[noreturn]] void throw_wrong_type(const Field& field, const std::string& where) {
  throw_usage(where + ": '" + field.name() + "' must be " + type_in_words(field));
}

void read_section(const std::string& path, const std::string& section, const toml::table& table,
                  std::vector<Setting>& settings) {
  for (auto&& [key, node] : table) {
    const std::string where = place_of(path, key.source().begin);
    const Field* field = find_field(section + "." + std::string(key.str()));
    if (field == nullptr) {
      throw_unknown_key(where, section, std::string(key.str()));
    }
    const auto value = typed_value(*field, node);
    if (!value) {
      throw_wrong_type(*field, place_of(path, node.source().begin));
    }
    settings.push_back({field, *value, where});
  }
}

// The value of a one-line TOML document, or nothing where the text is not a TOML value.
std::optional<Value> parse_value(const Field& field, const std::string& text) {
  if (text.find('\n') != std::string::npos) {
    return std::nullopt;
  }
  try {
    const toml::table document = toml::parse("value = " + text);
    return typed_value(field, *document.get("value"));
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

Strings split_at_commas(const std::string& text) {
  Strings parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// The keys at the top of a file.
Strings top_keys() {
  Strings names = {"base"};
  for (const Field& field : fields()) {
    if (field.section.empty()) {
      names.push_back(field.key);
    }
  }
  return names;
}

// A node at the top of the document that is not a key of its own must be a section.
void require_section(const std::string& where, const std::string& name, const toml::node& node) {
  Strings names = sections();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    for (const std::string& key : top_keys()) {
      names.push_back(key);
    }
    throw_usage(where + ": unknown " + (node.is_table() ? "section [" : "key [") + name + "]" +
                did_you_mean(name, names));
  }
  if (!node.is_table()) {
    throw_usage(where + ": '" + name + "' is a section; write [" + name + "]");
  }
}

// Every key of a file but base.
void read_keys(const std::string& path, const toml::table& document,
               std::vector<Setting>& settings) {
  for (auto&& [key, node] : document) {
    const std::string name(key.str());
    const std::string where = place_of(path, key.source().begin);
    if (name == "base") {
      continue;
    }
    if (const Field* field = find_field(name); field != nullptr && field->section.empty()) {
      const auto value = typed_value(*field, node);
      if (!value) {
        throw_wrong_type(*field, where);
      }
      settings.push_back({field, *value, where});
      continue;
    }
    require_section(where, name, node);
    read_section(path, name, *node.as_table(), settings);
  }
}

// The same text for every way to write the path of a file.
std::string identity_of(const fs::path& path) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(path, error);
  return error ? path.string() : canonical.string();
}

// The file that `base` names, from the folder of the file it stands in. `chain` holds the files
// that led here, this one last.
std::string base_path(const std::string& path, const toml::node& node, const Strings& chain) {
  const std::string where = place_of(path, node.source().begin);
  const std::string* name = node.is_string() ? &node.as_string()->get() : nullptr;
  if (name == nullptr || name->empty() || name->find('\0') != std::string::npos) {
    throw_usage(where + ": 'base' must be the name of a config file in quotes");
  }
  const fs::path base = (fs::path(path).parent_path() / *name).lexically_normal();
  std::error_code error;
  if (!fs::exists(base, error)) {
    throw_missing(where, "'base' names " + base.string() + ", and there is no such file");
  }
  if (std::find(chain.begin(), chain.end(), identity_of(base)) != chain.end()) {
    throw_usage(where + ": 'base' names " + base.string() + ", which is based on this file");
  }
  return base.string();
}

// The settings of the file's base, then its own.
std::vector<Setting> read_chain(const std::string& path, Strings chain) {
  const toml::table document = read_toml_document(path);
  chain.push_back(identity_of(path));
  std::vector<Setting> settings;
  if (const toml::node* base = document.get("base")) {
    settings = read_chain(base_path(path, *base, chain), chain);
  }
  read_keys(path, document, settings);
  return settings;
}

}  // namespace

void throw_unknown_key(const std::string& where, const std::string& section,
                       const std::string& key) {
  Strings keys;
  for (const Field& field : fields()) {
    if (field.section == section) {
      keys.push_back(field.key);
    }
  }
  throw_usage(where + ": unknown key '" + (section.empty() ? "" : section + ".") + key + "'" +
              did_you_mean(key, keys));
}

std::vector<Setting> read_toml_settings(const std::string& path) { return read_chain(path, {}); }

Setting read_text_setting(const Field& field, const std::string& text, const std::string& origin) {
  if (const auto value = parse_value(field, text)) {
    return {&field, *value, origin};
  }
  if (std::holds_alternative<std::string>(field.fallback)) {
    // A bare text; it must be one that the resolved file can hold.
    if (const auto value = parse_value(field, to_toml(Value(text)))) {
      return {&field, *value, origin};
    }
  }
  if (std::holds_alternative<Strings>(field.fallback) && text.find('[') == std::string::npos) {
    if (const auto value = parse_value(field, to_toml(Value(split_at_commas(text))))) {
      return {&field, *value, origin};
    }
  }
  throw_wrong_type(field, origin);
}

}  // namespace rallrec::config
