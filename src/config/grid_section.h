// One table of a grid file. For the readers of this folder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/toml_document.h"

namespace rallrec::config {

class GridSection {
 public:
  // Refers to `table`. Throws Error (usage) where a key is not among `known`, which are then
  // listed.
  GridSection(std::string path, const toml::table& table, const std::string& name,
              const std::vector<std::string>& known);

  const std::string& path() const { return path_; }
  // "path:line:column" of the table, or of the value of a key that is there.
  std::string place() const { return place_of(path_, table_.source().begin); }
  std::string place(const char* key) const { return place_of(path_, node(key)->source().begin); }
  // Null where there is no such key.
  const toml::node* node(const char* key) const { return table_.get(key); }

  // The value of a key, or `fallback` where it is not there. Wrong types and empty values throw.
  std::string text(const char* key, const std::string& fallback = "") const;
  bool flag(const char* key) const;  // false where it is not there
  std::vector<std::string> texts(const char* key,
                                 const std::vector<std::string>& fallback = {}) const;
  std::vector<std::int64_t> integers(const char* key,
                                     const std::vector<std::int64_t>& fallback) const;
  // Null where there is none.
  const toml::table* table(const char* key) const;
  // The [[key]] sections, at least one.
  std::vector<const toml::table*> tables(const char* key) const;

  // Throws Error (usage): "path:line:column: 'section.key' must be <expected>".
  [[noreturn]] void fail(const char* key, const std::string& expected) const;

 private:
  std::string path_;
  const toml::table& table_;
  std::string name_;  // "system."
};

}  // namespace rallrec::config
