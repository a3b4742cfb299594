#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rallrec::testing {

// The input of a fuzz target as text.
inline std::string_view text_of(const std::uint8_t* bytes, std::size_t count) {
  return {reinterpret_cast<const char*>(bytes), count};
}

// A folder in memory whose files a target writes before each read: readers take paths.
class MemoryFolder {
 public:
  explicit MemoryFolder(const std::string& target);
  ~MemoryFolder();
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;

  const std::string& path() const { return path_; }
  // The path of the file, which holds `content` now.
  std::string put(const std::string& name, std::string_view content) const;

 private:
  std::string path_;
};

}  // namespace rallrec::testing
