#include "config/sizes.h"

#include <charconv>

namespace rallrec::config {

std::vector<std::int64_t> read_sizes(const std::string& text) {
  constexpr std::int64_t kLargest = 65536;
  std::vector<std::int64_t> sizes;
  const char* next = text.data();
  const char* end = text.data() + text.size();
  while (true) {
    std::int64_t size = 0;
    const auto result = std::from_chars(next, end, size);
    if (result.ec != std::errc() || size < 1 || size > kLargest) {
      return {};
    }
    sizes.push_back(size);
    if (result.ptr == end) {
      return sizes;
    }
    if (*result.ptr != '-') {
      return {};
    }
    next = result.ptr + 1;
  }
}

}  // namespace rallrec::config
