// TOML files as trees. For the readers of this folder.
#pragma once

#include <toml++/toml.h>

#include <string>

namespace rallrec::config {

// Throws with exit code 64 and the place where it is no TOML, is no file or is larger than 1 MiB;
// with 66 where there is none.
toml::table read_toml_document(const std::string& path);

// "path:line:column".
std::string place_of(const std::string& path, const toml::source_position& position);

}  // namespace rallrec::config
