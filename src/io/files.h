#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rallrec::io {

// The largest file that `read_file` takes where the caller sets no limit of its own.
constexpr std::uint64_t kDefaultFileLimit = std::uint64_t{1} << 30;

// The whole file. Errors: missing (66), a folder or larger than `max_bytes` (65), refused by the
// system (74). Files whose size is not known in advance (pipes, /proc) are read to their end.
std::string read_file(const std::string& path, std::uint64_t max_bytes = kDefaultFileLimit);

// True for anything that exists under this name, folders included. A dangling link does not exist.
bool file_exists(const std::string& path);
bool is_folder(const std::string& path);

// Makes the folder and those above it, and makes the new names durable. An existing folder is fine;
// an existing file of that name is an error (74).
void make_directories(const std::string& path);

// For an input that is read more than once. Errors: a pipe or device (64), missing (66), a folder
// (65).
void require_plain_file(const std::string& path);

// For an output that is written at the end of long work: throws at once where it could not be.
// Errors: its folder is missing (66) or takes no new file (74), it is a folder itself (74), it is
// one of `inputs`, which writing it would destroy (64).
void require_place_for(const std::string& path, const std::vector<std::string>& inputs = {});

// Makes a folder as make_directories does. When it goes, those that were made and are still empty
// go too: work that fails early leaves no trace.
class NewFolder {
 public:
  explicit NewFolder(const std::string& path);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

 private:
  std::vector<std::string> made_;  // the deepest first
};

// Errors of the system are throw_io (74) with the new name. sync_folder makes it durable.
void rename_folder(const std::string& from, const std::string& to);

// A folder that is filled under a temporary name and renamed when complete. What is still there
// under that name when this goes, after an error, is removed with all its content.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::string path);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// "a/b/c.txt" -> "a/b"; "c.txt" -> "."; "/c" -> "/".
std::string folder_of(const std::string& path);
// "a/b/c.txt" -> "c.txt".
std::string name_of(const std::string& path);

}  // namespace rallrec::io
