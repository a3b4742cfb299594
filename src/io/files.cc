#include "io/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/input_file.h"

namespace rallrec::io {

std::string read_file(const std::string& path, std::uint64_t max_bytes) {
  const InputFile file(path);
  if (file.size() > max_bytes) {
    throw_bad_data(path, "is " + std::to_string(file.size()) + " bytes; at most " +
                             std::to_string(max_bytes) + " are read here");
  }
  std::string bytes;
  std::vector<char> block(std::size_t{1} << 16);
  while (const std::size_t got = file.read_some(bytes.size(), block.data(), block.size())) {
    if (got > max_bytes - bytes.size()) {
      throw_bad_data(
          path, "is longer than the " + std::to_string(max_bytes) + " bytes that are read here");
    }
    bytes.append(block.data(), got);
  }
  return bytes;
}

bool file_exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

void make_directories(const std::string& path) {
  if (path.empty() || is_folder(path)) {
    return;
  }
  const std::string parent = folder_of(path);
  if (parent != path) {
    make_directories(parent);
  }
  if (::mkdir(path.c_str(), 0777) == 0) {
    sync_folder(parent);
  } else if (const int error = errno; !is_folder(path)) {
    if (error == EEXIST) {
      throw Error(ExitCode::kIo,
                  path + ": is a file, and a folder is to be made there; name another one");
    }
    throw_io(path, "making the folder", error);
  }
}

void require_plain_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) {
      throw_missing(path, "no such file");
    }
    throw_io(path, "looking for the file", error);
  }
  if (S_ISDIR(status.st_mode)) {
    throw_bad_data(path, "is a folder; a file was expected");
  }
  if (!S_ISREG(status.st_mode)) {
    throw_usage(path + ": is a pipe or a device; it is read more than once, so give a file");
  }
}

namespace {

// A file is replaced by a new one of its name, so its folder must take one. Pipes and devices are
// written to as they are.
void refuse_if_read_only(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return;
  }
  if (::faccessat(AT_FDCWD, folder_of(path).c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    throw_io(path, "creating the file", errno);
  }
}

void refuse_if_same(const std::string& output, const std::string& input) {
  std::error_code error;
  if (std::filesystem::is_regular_file(output, error) &&
      std::filesystem::equivalent(output, input, error)) {
    throw_usage("the output " + output + " is also the input " + input +
                " and would replace it; name another file");
  }
}

}  // namespace

void require_place_for(const std::string& path, const std::vector<std::string>& inputs) {
  if (is_folder(path)) {
    throw_io(path, "writing a file", EISDIR);
  }
  if (const std::string folder = folder_of(path); !is_folder(folder)) {
    throw_missing(folder, "no such folder to write " + name_of(path) + " to");
  }
  refuse_if_read_only(path);
  for (const std::string& input : inputs) {
    refuse_if_same(path, input);
  }
}

NewFolder::NewFolder(const std::string& path) {
  std::string missing = path;
  while (!missing.empty() && !file_exists(missing)) {
    made_.push_back(missing);
    missing = folder_of(missing);
  }
  make_directories(path);
}

NewFolder::~NewFolder() {
  for (const std::string& folder : made_) {
    if (::rmdir(folder.c_str()) != 0) {
      return;
    }
  }
}

void rename_folder(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (error) {
    throw_io(to, "rename", error.value());
  }
}

TemporaryFolder::TemporaryFolder(std::string path) : path_(std::move(path)) {
  make_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string folder_of(const std::string& path) {
  std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) {
    return path.empty() ? "." : "/";
  }
  end = path.find_last_of('/', end);
  if (end == std::string::npos) {
    return ".";
  }
  end = path.find_last_not_of('/', end);
  return end == std::string::npos ? "/" : path.substr(0, end + 1);
}

std::string name_of(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) {
    return {};
  }
  const std::size_t slash = path.find_last_of('/', end);
  const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(begin, end + 1 - begin);
}

}  // namespace rallrec::io
