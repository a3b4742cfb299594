#include "commands/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "config/did_you_mean.h"

namespace rallrec::commands {
namespace {

template <typename Number>
bool is_number(const std::string& text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end;
}

// What CLI11 puts behind the name of the flag.
std::string expected(const std::string& what, const std::string& found) {
  return fmt::format("expected {}, found '{}'", what, found);
}

}  // namespace

CLI::Validator whole_number_from(std::int64_t least) {
  return CLI::Validator(
      [least](const std::string& text) {
        std::int64_t value = 0;
        return is_number(text, value) && value >= least
                   ? std::string()
                   : expected(fmt::format("a whole number from {}", least), text);
      },
      "");
}

CLI::Validator number_from(double least, bool above) {
  return CLI::Validator(
      [least, above](const std::string& text) {
        double value = 0.0;
        const bool good = is_number(text, value) && std::isfinite(value) &&
                          (above ? value > least : value >= least);
        return good
                   ? std::string()
                   : expected(fmt::format("a number {} {}", above ? "above" : "from", least), text);
      },
      "");
}

CLI::Validator positive_number() { return number_from(0.0, true); }

CLI::Validator one_of(std::vector<std::string> words) {
  return CLI::Validator(
      [words = std::move(words)](const std::string& text) {
        return std::find(words.begin(), words.end(), text) != words.end()
                   ? std::string()
                   : expected("one of " + config::joined(words), text);
      },
      "");
}

}  // namespace rallrec::commands
