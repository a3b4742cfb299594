#include "config/grid_section.h"

#include <algorithm>
#include <utility>

#include "config/did_you_mean.h"
#include "core/error.h"

namespace rallrec::config {
namespace {

template <typename T>
std::vector<T> list_of(const GridSection& section, const char* key, const std::vector<T>& fallback,
                       const char* expected) {
  const toml::node* found = section.node(key);
  if (found == nullptr) {
    return fallback;
  }
  const toml::array* items = found->as_array();
  if (items == nullptr || items->empty() || !items->is_homogeneous<T>()) {
    section.fail(key, expected);
  }
  std::vector<T> values;
  for (const toml::node& item : *items) {
    values.push_back(item.as<T>()->get());
  }
  return values;
}

}  // namespace

GridSection::GridSection(std::string path, const toml::table& table, const std::string& name,
                         const std::vector<std::string>& known)
    : path_(std::move(path)), table_(table), name_(name.empty() ? "" : name + ".") {
  for (auto&& [key, node] : table) {
    const std::string word(key.str());
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      throw_usage(place_of(path_, key.source().begin) + ": unknown key '" + name_ + word + "'" +
                  did_you_mean(word, known) + "; known are " + joined(known));
    }
  }
}

std::string GridSection::text(const char* key, const std::string& fallback) const {
  const toml::node* found = node(key);
  if (found == nullptr) {
    return fallback;
  }
  const std::string* text = found->is_string() ? &found->as_string()->get() : nullptr;
  if (text == nullptr || text->empty() || text->find('\0') != std::string::npos) {
    fail(key, "text in quotes");
  }
  return *text;
}

bool GridSection::flag(const char* key) const {
  const toml::node* found = node(key);
  if (found == nullptr) {
    return false;
  }
  if (!found->is_boolean()) {
    fail(key, "true or false");
  }
  return found->as_boolean()->get();
}

std::vector<std::string> GridSection::texts(const char* key,
                                            const std::vector<std::string>& fallback) const {
  return list_of(*this, key, fallback, "a list of texts such as [\"a\", \"b\"]");
}

std::vector<std::int64_t> GridSection::integers(const char* key,
                                                const std::vector<std::int64_t>& fallback) const {
  return list_of(*this, key, fallback, "a list of integers such as [42, 43]");
}

const toml::table* GridSection::table(const char* key) const {
  const toml::node* found = node(key);
  if (found != nullptr && !found->is_table()) {
    fail(key, "a table such as { \"prompt.k\" = 10 }");
  }
  return found == nullptr ? nullptr : found->as_table();
}

std::vector<const toml::table*> GridSection::tables(const char* key) const {
  const toml::node* found = node(key);
  if (found == nullptr) {
    throw_usage(path_ + ": there is no [[" + key + "]] in it; a grid needs at least one");
  }
  const toml::array* sections = found->as_array();
  if (sections == nullptr || sections->empty() || !sections->is_homogeneous<toml::table>()) {
    fail(key, std::string("[[") + key + "]] sections");
  }
  std::vector<const toml::table*> list;
  for (const toml::node& section : *sections) {
    list.push_back(section.as_table());
  }
  return list;
}

void GridSection::fail(const char* key, const std::string& expected) const {
  throw_usage(place(key) + ": '" + name_ + key + "' must be " + expected);
}

}  // namespace rallrec::config
