#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "config/did_you_mean.h"
#include "config/field.h"
#include "config/sizes.h"

namespace rallrec::config {
namespace {

bool contains(const Strings& words, const std::string& word) {
  for (const std::string& candidate : words) {
    if (candidate == word) {
      return true;
    }
  }
  return false;
}

// Reads a whole integer >= 0.
bool read_count(const std::string& text, std::int64_t& count) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, count);
  return !text.empty() && result.ec == std::errc() && result.ptr == end && count >= 0;
}

std::string short_real(double value) { return to_toml(Value(value)); }

}  // namespace

Check anything() {
  return [](const Value&) { return std::string(); };
}

Check at_least(std::int64_t low) {
  return [low](const Value& value) {
    return std::get<std::int64_t>(value) >= low ? "" : "must be at least " + std::to_string(low);
  };
}

Check between(std::int64_t low, std::int64_t high) {
  return [low, high](const Value& value) -> std::string {
    const std::int64_t number = std::get<std::int64_t>(value);
    if (number >= low && number <= high) {
      return "";
    }
    return "must be from " + std::to_string(low) + " to " + std::to_string(high);
  };
}

Check real_between(double low, double high, bool low_open, bool high_open) {
  return [=](const Value& value) -> std::string {
    const double number = std::get<double>(value);
    const bool above = low_open ? number > low : number >= low;
    const bool below = high_open ? number < high : number <= high;
    if (std::isfinite(number) && above && below) {
      return "";
    }
    const std::string lower = (low_open ? "above " : "at least ") + short_real(low);
    if (high == std::numeric_limits<double>::max()) {
      return "must be finite and " + lower;
    }
    return "must be " + lower + " and " + (high_open ? "below " : "at most ") + short_real(high);
  };
}

Check real_positive() { return real_between(0.0, std::numeric_limits<double>::max(), true); }

Check one_of(const Strings& allowed) {
  return [allowed](const Value& value) {
    return contains(allowed, std::get<std::string>(value)) ? ""
                                                           : "must be one of " + joined(allowed);
  };
}

Check some_of(const Strings& allowed) {
  return [allowed](const Value& value) -> std::string {
    const auto& list = std::get<Strings>(value);
    const bool distinct = std::set<std::string>(list.begin(), list.end()).size() == list.size();
    bool known = true;
    for (const std::string& item : list) {
      known = known && !item.empty() && (allowed.empty() || contains(allowed, item));
    }
    if (!list.empty() && distinct && known) {
      return "";
    }
    return "must name at least one, each once" +
           (allowed.empty() ? std::string() : ", of " + joined(allowed));
  };
}

Check stage_names() {
  const Strings known = {"ingest", "describe", "embed", "light_gcn", "align",   "retrieve",
                         "prompt", "tune",     "infer", "baseline",  "evaluate"};
  return [known](const Value& value) -> std::string {
    for (const std::string& name : std::get<Strings>(value)) {
      if (!contains(known, name)) {
        return "names no stage with '" + name + "'" + did_you_mean(name, known);
      }
    }
    return some_of(known)(value);
  };
}

Check quant_mode() { return one_of({"auto", "llm_int8", "w8a16", "w8a8", "bf16", "fp32"}); }

Check meeting_point() {
  return [](const Value& value) -> std::string {
    const auto& text = std::get<std::string>(value);
    const std::size_t colon = text.rfind(':');
    std::int64_t port = 0;
    const bool tcp = text.rfind("tcp:", 0) == 0 && colon > 4 &&
                     read_count(text.substr(colon + 1), port) && port >= 1 && port <= 65535;
    const bool file = text.rfind("file:", 0) == 0 && text.size() > 5;
    return text == "mpi" || file || tcp ? "" : "must be mpi, file:PATH or tcp:HOST:PORT";
  };
}

Check ratio() {
  return [](const Value& value) -> std::string {
    const auto& text = std::get<std::string>(value);
    const std::size_t slash = text.find('/');
    std::int64_t top = 0;
    std::int64_t bottom = 0;
    if (slash != std::string::npos && read_count(text.substr(0, slash), top) &&
        read_count(text.substr(slash + 1), bottom) && bottom > 0 && top <= bottom) {
      return "";
    }
    return "must be a ratio from 0 to 1 such as \"2/3\"";
  };
}

Check sizes() {
  return [](const Value& value) -> std::string {
    return read_sizes(std::get<std::string>(value)).empty()
               ? "must be whole numbers from 1 to 65536 such as \"128-64\""
               : "";
  };
}

}  // namespace rallrec::config
