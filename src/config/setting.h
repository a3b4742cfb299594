#pragma once

#include <string>
#include <vector>

#include "config/field.h"

namespace rallrec::config {

// One key given a value by one source.
struct Setting {
  const Field* field = nullptr;
  Value value;
  std::string origin;
};

// Every key of a TOML file, type-checked but not range-checked: those of the file that its key base
// names first, then its own in file order. Throws with exit code 64 where files are based on each
// other.
std::vector<Setting> read_toml_settings(const std::string& path);

// A value written on the command line or in the environment: TOML, or a bare text where the key
// takes text, or a,b where it takes a list. Throws with exit code 64; `origin` names the place.
Setting read_text_setting(const Field& field, const std::string& text, const std::string& origin);

// The field of that full name. Throws with exit code 64, the place and the nearest name where there
// is none.
const Field& field_named(const std::string& name, const std::string& where);

// Throws with exit code 64: no such key, what may be meant.
[[noreturn]] void throw_unknown_key(const std::string& where, const std::string& section,
                                    const std::string& key);

}  // namespace rallrec::config
