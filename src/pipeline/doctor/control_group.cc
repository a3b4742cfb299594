#include "pipeline/doctor/control_group.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

namespace rallrec::pipeline {
namespace {

// The first generation writes "no limit" as the largest multiple of a page.
constexpr double kNoLimit = 1e18;

std::optional<double> limit_in(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  long long bytes = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), bytes);
  const auto limit = static_cast<double>(bytes);
  return read.ec == std::errc() && limit < kNoLimit ? std::optional(limit) : std::nullopt;
}

}  // namespace

std::optional<double> control_group_memory(const std::string& groups, const std::string& root) {
  std::optional<double> least;
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    // number:controllers:/path; the second generation has no controllers there.
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool old = controllers == "memory";
    if (!old && !controllers.empty()) {
      continue;
    }
    const std::string top = root + (old ? "/memory" : "");
    const std::string file = old ? "/memory.limit_in_bytes" : "/memory.max";
    // From the group upwards; inside a container the path may be one of the host, of which only
    // the top is to be seen.
    for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      const auto limit = limit_in(top + (path == "/" ? "" : path) + file);
      if (limit) {
        least = std::min(least.value_or(*limit), *limit);
      }
      if (path.empty() || path.rfind('/') == std::string::npos) {
        break;
      }
    }
  }
  return least;
}

}  // namespace rallrec::pipeline
