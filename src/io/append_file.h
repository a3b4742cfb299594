#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rallrec::io {

// A file that grows while the program runs (metrics, events): each `append` reaches the operating
// system before it returns, so that other programs can follow the file. Not atomic as a whole; a
// line or event may be cut off by a crash, and readers must cope. Errors of the system are
// throw_io; what could not be written (a full disk) is kept and goes first with the next `append`
// or `sync`, so that a caller who goes on leaves no gap and no half line.
class AppendFile {
 public:
  // Opens or makes the file. It is first cut to `keep_bytes` where it is longer.
  explicit AppendFile(std::string path, std::uint64_t keep_bytes = UINT64_MAX);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view bytes);
  // Writes what an earlier `append` could not, and makes all durable.
  void sync();

 private:
  void write_pending();

  std::string path_;
  std::string pending_;
  int descriptor_ = -1;
};

}  // namespace rallrec::io
