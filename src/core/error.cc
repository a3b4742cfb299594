#include "core/error.h"

#include <cstring>

namespace rallrec {

void throw_usage(const std::string& message) { throw Error(ExitCode::kUsage, message); }

void throw_bad_data(const std::string& where, const std::string& message) {
  throw Error(ExitCode::kBadData, where + ": " + message);
}

void throw_missing(const std::string& path, const std::string& message) {
  throw Error(ExitCode::kMissingInput, path + ": " + message);
}

void throw_io(const std::string& path, const std::string& operation, int error_number) {
  std::string message = path + ": " + operation + " failed";
  if (error_number != 0) {
    message += std::string(": ") + std::strerror(error_number);
  }
  throw Error(ExitCode::kIo, message);
}

}  // namespace rallrec
