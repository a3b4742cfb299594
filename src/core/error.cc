#include "core/error.h"

#include <cstring>
#include <new>

namespace rallrec {

Failure failure_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::kInternal, "out of memory"};
  } catch (const std::exception& error) {
    const std::string text = error.what();
    return {ExitCode::kInternal, text.substr(0, text.find('\n'))};
  } catch (...) {
    return {ExitCode::kInternal, "unknown failure"};
  }
}

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
