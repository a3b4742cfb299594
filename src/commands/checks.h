#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

// Checks for add_option(...)->check(...) whose messages say what was expected; --help shows nothing
// of them.
namespace rallrec::commands {

CLI::Validator whole_number_from(std::int64_t least);
// From `least` on, or above it where `above`.
CLI::Validator number_from(double least, bool above = false);
CLI::Validator positive_number();
CLI::Validator one_of(std::vector<std::string> words);

}  // namespace rallrec::commands
