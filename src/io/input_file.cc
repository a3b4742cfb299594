#include "io/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/error.h"

namespace rallrec::io {

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) {
      throw_missing(path_, "no such file");
    }
    throw_io(path_, "opening for reading", error);
  }
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) {
    const int error = errno;
    close();
    throw_io(path_, "asking for the size", error);
  }
  if (S_ISDIR(status.st_mode)) {
    close();
    throw_bad_data(path_, "is a folder; a file was expected");
  }
  is_regular_ = S_ISREG(status.st_mode);
  size_ = is_regular_ ? static_cast<std::uint64_t>(status.st_size) : 0;
}

InputFile::~InputFile() { close(); }

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      is_regular_(other.is_regular_) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  if (this != &other) {
    close();
    path_ = std::move(other.path_);
    descriptor_ = std::exchange(other.descriptor_, -1);
    size_ = other.size_;
    is_regular_ = other.is_regular_;
  }
  return *this;
}

void InputFile::close() noexcept {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    descriptor_ = -1;
  }
}

std::size_t InputFile::read_some(std::uint64_t offset, void* buffer, std::size_t count) const {
  char* const begin = static_cast<char*>(buffer);
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = is_regular_ ? ::pread(descriptor_, begin + done, count - done,
                                              static_cast<off_t>(offset + done))
                                    : ::read(descriptor_, begin + done, count - done);
    if (got == 0) {
      break;
    }
    if (got > 0) {
      done += static_cast<std::size_t>(got);
      if (!is_regular_) {
        break;  // the writer may wait for an answer to what it has sent so far
      }
    } else if (errno != EINTR) {
      throw_io(path_, "reading", errno);
    }
  }
  return done;
}

void InputFile::read_exactly(std::uint64_t offset, void* buffer, std::size_t count) const {
  const std::size_t got = read_some(offset, buffer, count);
  if (got != count) {
    throw_bad_data(path_, "ends at byte " + std::to_string(offset + got) + ", but " +
                              std::to_string(count - got) +
                              " more were expected; the file was cut off");
  }
}

}  // namespace rallrec::io
