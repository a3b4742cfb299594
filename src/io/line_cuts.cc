#include "io/line_cuts.h"

#include <algorithm>
#include <cstring>

namespace rallrec::io {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 18;

// The place behind the first line end at or after `offset`, or the file's size.
std::uint64_t line_start_after(const InputFile& file, std::uint64_t offset,
                               std::vector<char>& block) {
  while (const std::size_t got = file.read_some(offset, block.data(), block.size())) {
    const void* const end = std::memchr(block.data(), '\n', got);
    if (end != nullptr) {
      return offset + static_cast<std::uint64_t>(static_cast<const char*>(end) - block.data()) + 1;
    }
    offset += got;
  }
  return file.size();
}

}  // namespace

std::vector<std::uint64_t> cut_at_lines(const InputFile& file, int parts) {
  std::vector<char> block(kBlock);
  std::vector<std::uint64_t> cuts{0};
  for (int part = 1; part < parts; ++part) {
    const std::uint64_t even =
        file.size() / static_cast<std::uint64_t>(parts) * static_cast<std::uint64_t>(part);
    // A byte earlier, so that an even cut at a line start stays.
    cuts.push_back(even == 0 ? 0 : std::max(cuts.back(), line_start_after(file, even - 1, block)));
  }
  cuts.push_back(file.size());
  return cuts;
}

std::uint64_t count_line_ends(const InputFile& file, std::uint64_t begin, std::uint64_t end) {
  std::vector<char> block(kBlock);
  std::uint64_t count = 0;
  while (begin < end) {
    const std::size_t want = std::min<std::uint64_t>(block.size(), end - begin);
    const std::size_t got = file.read_some(begin, block.data(), want);
    if (got == 0) {
      break;
    }
    count += static_cast<std::uint64_t>(
        std::count(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(got), '\n'));
    begin += got;
  }
  return count;
}

}  // namespace rallrec::io
