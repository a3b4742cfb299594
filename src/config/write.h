#pragma once

#include <string>

#include "config/load.h"

namespace rallrec::config {

// The complete config as a TOML file that load_config reads back to the same values.
std::string resolved_toml(const Options& options);

// "section.key = value" lines of one section (or the one line of "mode"): equal texts mean equal
// settings. Manifests hash it.
std::string section_text(const Options& options, const std::string& section);

// Every key with its value, origin and help, for people.
std::string described_toml(const Config& config);

}  // namespace rallrec::config
