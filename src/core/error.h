#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace rallrec {

// What the process tells its caller when it ends; docs/formats.md lists them for users.
enum class ExitCode : int {
  kDone = 0,
  kUsage = 64,         // wrong command line or config
  kBadData = 65,       // a file was read and its content is wrong
  kMissingInput = 66,  // a file or folder that was named does not exist
  kPeerLost = 69,      // another rank ended
  kInternal = 70,      // a bug: a broken precondition
  kHang = 71,          // no progress within the watchdog's time
  kIo = 74,            // the operating system refused: disk full, permission, short read
  kCheckpointed = 75,  // stopped on request after a checkpoint; start again to go on
  kNonFinite = 76,     // NaN or Inf where none may be
  kDiverged = 77,      // replicas that must be equal are not
};

// Every error this project throws. The message says what, where (file:line or key), what was
// expected and what to do. `main` prints it once and exits with `code()`.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  // A broken precondition: exit code 70.
  explicit Error(const std::string& message) : Error(ExitCode::kInternal, message) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// What is told of an exception: an Error's own code and message, else kInternal and the first line,
// which says what happened (libtorch adds a stack trace below it).
struct Failure {
  ExitCode code = ExitCode::kInternal;
  std::string message;
};
Failure failure_of(const std::exception_ptr& exception);

[[noreturn]] void throw_usage(const std::string& message);
// `where` is "path", "path:line" or "path:line:column".
[[noreturn]] void throw_bad_data(const std::string& where, const std::string& message);
[[noreturn]] void throw_missing(const std::string& path, const std::string& message);
// Appends the text of `error_number` (an errno value) where it is not 0.
[[noreturn]] void throw_io(const std::string& path, const std::string& operation, int error_number);

}  // namespace rallrec
