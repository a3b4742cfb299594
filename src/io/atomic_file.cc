#include "io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/check.h"
#include "core/error.h"
#include "io/files.h"

namespace rallrec::io {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 16;

// Two hosts may share the folder and the process id, so the clock is part of the name.
std::string temporary_name(const std::string& target) {
  static std::atomic<unsigned> counter{0};
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return folder_of(target) + "/." + name_of(target) + ".tmp-" + std::to_string(::getpid()) + "-" +
         std::to_string(now) + "-" + std::to_string(counter++);
}

std::string resolve_link(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) {
    return path;
  }
  char* const resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) {
    return path;
  }
  std::string result = resolved;
  std::free(resolved);
  return result;
}

bool is_device(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

int create_file(const std::string& path, const std::string& temporary) {
  if (is_folder(path)) {
    throw_io(path, "writing a file", EISDIR);
  }
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    throw_io(path, "creating the file", errno);
  }
  return descriptor;
}

void rename_durably(const std::string& path, const std::string& temporary,
                    const std::string& target) {
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    throw_io(path, "giving the finished file its name", errno);
  }
  sync_folder(folder_of(target));
}

// close() may be the call that reports a full disk on network file systems.
void sync_and_close(const std::string& path, int descriptor) {
  const int sync_error = ::fsync(descriptor) == 0 ? 0 : errno;
  const int close_error = ::close(descriptor) == 0 ? 0 : errno;
  if (sync_error != 0 || close_error != 0) {
    throw_io(path, "making the file durable", sync_error != 0 ? sync_error : close_error);
  }
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), target_(resolve_link(path_)) {
  buffer_.reserve(kBufferSize);
  if (is_device(path_)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) {
      throw_io(path_, "opening for writing", errno);
    }
    return;
  }
  std::string temporary = temporary_name(target_);
  descriptor_ = create_file(path_, temporary);
  temporary_ = std::move(temporary);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::write(const void* bytes, std::size_t count) {
  RALLREC_CHECK(descriptor_ >= 0, path_ + " was already committed");
  const char* const begin = static_cast<const char*>(bytes);
  if (buffer_.size() + count > kBufferSize) {
    flush();
  }
  if (count >= kBufferSize) {
    write_through(begin, count);
  } else {
    buffer_.insert(buffer_.end(), begin, begin + count);
  }
}

void AtomicFile::flush() {
  write_through(buffer_.data(), buffer_.size());
  buffer_.clear();
}

void AtomicFile::write_through(const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(descriptor_, bytes, count);
    if (written >= 0) {
      bytes += written;
      count -= static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      throw_io(path_, "writing", errno);
    }
  }
}

void AtomicFile::commit() {
  RALLREC_CHECK(descriptor_ >= 0, path_ + " was already committed");
  flush();
  const int descriptor = std::exchange(descriptor_, -1);
  if (temporary_.empty()) {
    if (::close(descriptor) != 0) {
      throw_io(path_, "closing", errno);
    }
    return;
  }
  sync_and_close(path_, descriptor);
  rename_durably(path_, temporary_, target_);
  temporary_.clear();
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

TemporaryFile::TemporaryFile(std::string path)
    : path_(std::move(path)), target_(resolve_link(path_)) {
  std::string temporary = temporary_name(target_);
  ::close(create_file(path_, temporary));
  temporary_ = std::move(temporary);
}

TemporaryFile::~TemporaryFile() {
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

void TemporaryFile::publish() {
  const int descriptor = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    throw_io(path_, "opening the finished file", errno);
  }
  sync_and_close(path_, descriptor);
  rename_durably(path_, temporary_, target_);
  temporary_.clear();
}

void sync_folder(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    throw_io(path, "opening the folder", errno);
  }
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some file systems have nothing to sync for a folder and say EINVAL.
  if (error != 0 && error != EINVAL) {
    throw_io(path, "making the folder's names durable", error);
  }
}

}  // namespace rallrec::io
