#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rallrec::io {

// A file that appears under its name complete or not at all. Bytes go to a temporary name in the
// same folder; `commit` writes the rest, fsyncs, renames and fsyncs the folder. Destroyed without
// `commit`, the temporary file is removed and an older file of that name stands. Interrupted and
// short writes are continued. Errors of the system (disk full, no permission, no such folder) are
// throw_io: exit 74 with the path and the system's words.
//
// A path that names a device or a pipe (/dev/stdout, /dev/null) is written to directly. A link is
// followed: the file it points at is replaced.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::string& path() const { return path_; }
  void write(const void* bytes, std::size_t count);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  void commit();

 private:
  void write_through(const char* bytes, std::size_t count);
  void flush();

  std::string path_;       // as the caller named it, for messages
  std::string target_;     // links resolved
  std::string temporary_;  // empty where the path is written to directly
  int descriptor_ = -1;
  std::vector<char> buffer_;
};

void write_file_atomically(const std::string& path, std::string_view bytes);

// For libraries that want to open the file by name themselves: a fresh name in the folder of
// `path`, removed by the destructor unless `publish` renamed it.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  // An empty file that exists.
  const std::string& name() const { return temporary_; }
  // Fsyncs what was written under name(), renames it to the path and fsyncs the folder. The library
  // must have closed it.
  void publish();

 private:
  std::string path_;
  std::string target_;
  std::string temporary_;
};

// Makes the names inside a folder durable.
void sync_folder(const std::string& path);

}  // namespace rallrec::io
