#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace rallrec::io {

// A file open for reading at positions. Reads go into the caller's buffers: nothing is mapped, so a
// file that shrinks under us is an error, not a SIGBUS. All methods may be called from several
// threads at once. Errors: missing (66), a folder (65), refused by the system (74).
class InputFile {
 public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;

  const std::string& path() const { return path_; }
  // Bytes when the file was opened; 0 for pipes and the like.
  std::uint64_t size() const { return size_; }
  bool is_regular() const { return is_regular_; }

  // Up to `count` bytes from `offset`; fewer only at the end of the file, 0 when there is nothing.
  // On a pipe `offset` is ignored.
  std::size_t read_some(std::uint64_t offset, void* buffer, std::size_t count) const;
  // Exactly `count` bytes from `offset`; less is bad data ("ends at byte …").
  void read_exactly(std::uint64_t offset, void* buffer, std::size_t count) const;

 private:
  void close() noexcept;

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  bool is_regular_ = false;
};

}  // namespace rallrec::io
