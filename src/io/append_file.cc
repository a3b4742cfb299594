#include "io/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"

namespace rallrec::io {

AppendFile::AppendFile(std::string path, std::uint64_t keep_bytes) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    throw_io(path_, "opening for appending", errno);
  }
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (known && S_ISREG(status.st_mode) && static_cast<std::uint64_t>(status.st_size) > keep_bytes &&
      ::ftruncate(descriptor_, static_cast<off_t>(keep_bytes)) != 0) {
    const int error = errno;
    ::close(descriptor_);
    throw_io(path_, "cutting the file", error);
  }
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::append(std::string_view bytes) {
  pending_ += bytes;
  write_pending();
}

void AppendFile::write_pending() {
  std::size_t done = 0;
  int error = 0;
  while (error == 0 && done < pending_.size()) {
    const ssize_t written = ::write(descriptor_, pending_.data() + done, pending_.size() - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  pending_.erase(0, done);
  if (error != 0) {
    throw_io(path_, "appending", error);
  }
}

void AppendFile::sync() {
  write_pending();
  // Pipes and devices have nothing to sync and say EINVAL.
  if (::fsync(descriptor_) != 0 && errno != EINVAL) {
    throw_io(path_, "making the file durable", errno);
  }
}

}  // namespace rallrec::io
