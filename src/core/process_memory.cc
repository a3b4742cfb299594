#include "core/process_memory.h"

#include <fstream>
#include <sstream>
#include <string>

namespace rallrec {
namespace {

// The value of a line "Key:   123 kB", in bytes.
std::int64_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.compare(0, key.size(), key) == 0) {
      std::istringstream value(line.substr(key.size()));
      std::int64_t kilobytes = 0;
      value >> kilobytes;
      return 1024 * kilobytes;
    }
  }
  return 0;
}

}  // namespace

std::int64_t resident_bytes() { return status_bytes("VmRSS:"); }
std::int64_t peak_resident_bytes() { return status_bytes("VmHWM:"); }

}  // namespace rallrec
