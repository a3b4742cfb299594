#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rallrec::io {

// A file that grows while the program runs (metrics, events): each `append` reaches the operating
// system before it returns, so that other programs can follow the file. Not atomic as a whole; a
// line or event may be cut off by a crash, and readers must cope. Errors of the system are
// throw_io.
class AppendFile {
 public:
  // Opens or makes the file. It is first cut to `keep_bytes` where it is longer.
  explicit AppendFile(std::string path, std::uint64_t keep_bytes = UINT64_MAX);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view bytes);
  // Makes what was appended durable.
  void sync();

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace rallrec::io
