#pragma once

#include <cstdint>
#include <string>

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

// "a/b/c.txt" -> "a/b"; "c.txt" -> "."; "/c" -> "/".
std::string folder_of(const std::string& path);
// "a/b/c.txt" -> "c.txt".
std::string name_of(const std::string& path);

}  // namespace rallrec::io
