#include "tests/fuzz/memory_folder.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace rallrec::testing {

MemoryFolder::MemoryFolder(const std::string& target)
    : path_("/dev/shm/rallrec-fuzz-" + target + "-" + std::to_string(::getpid())) {
  std::filesystem::create_directories(path_);
}

MemoryFolder::~MemoryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string MemoryFolder::put(const std::string& name, std::string_view content) const {
  const std::string file = path_ + "/" + name;
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!stream.flush()) {
    std::abort();
  }
  return file;
}

}  // namespace rallrec::testing
