#include "tests/support/faulty_io.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rallrec::testing {
namespace {

struct Plan {
  bool armed = false;
  char path[512] = "";
  long first = 0;
  long count = 0;
  Fault fault = Fault::kNone;
  int error = 0;
  bool skip_fsync = false;
  long calls = 0;
  void (*observer)(const char*, const char*, const char*, const void*, unsigned long) = nullptr;
};

long number_from(const char* name, long missing) {
  const char* text = std::getenv(name);
  return text == nullptr ? missing : std::atol(text);
}

Plan& plan() {
  static Plan plan;
  static bool looked = false;
  if (!looked) {
    looked = true;
    if (const char* path = std::getenv("FAULTY_IO_PATH")) {
      std::snprintf(plan.path, sizeof plan.path, "%s", path);
      plan.armed = true;
      plan.first = number_from("FAULTY_IO_FIRST", 1);
      plan.count = number_from("FAULTY_IO_COUNT", -1);
      plan.fault = Fault::kError;
      plan.error = static_cast<int>(number_from("FAULTY_IO_ERROR", EIO));
    }
  }
  return plan;
}

// The next function of this name after this library.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool counts(const char* path) {
  const Plan& p = plan();
  return p.armed && std::strstr(path, p.path) != nullptr;
}

// What shall happen to this call.
Fault fault_of(const char* path) {
  Plan& p = plan();
  if (!counts(path)) {
    return Fault::kNone;
  }
  const long call = ++p.calls;
  const bool chosen = call >= p.first && (p.count < 0 || call < p.first + p.count);
  return chosen ? p.fault : Fault::kNone;
}

// The path of an open file.
struct PathOf {
  char text[1024];

  explicit PathOf(int descriptor) {
    char link[64];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = ::readlink(link, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
  }
};

// Passes on the result of a call, and tells the observer where it succeeded.
long told(long result, const char* call, const char* path, const char* other = "",
          const void* bytes = nullptr) {
  if (result >= 0 && counts(path) && plan().observer != nullptr) {
    plan().observer(call, path, other, bytes,
                    bytes == nullptr ? 0UL : static_cast<unsigned long>(result));
  }
  return result;
}

int told_int(int result, const char* call, const char* path, const char* other = "") {
  return static_cast<int>(told(result, call, path, other));
}

void die() { ::kill(::getpid(), SIGKILL); }

// A call that either happens or does not.
template <typename Call>
int run(Fault fault, Call&& call) {
  if (fault == Fault::kKillBefore) {
    die();
  }
  if (fault == Fault::kError) {
    errno = plan().error;
    return -1;
  }
  const int result = call();
  if (fault == Fault::kKillBetween || fault == Fault::kKillAfter) {
    die();
  }
  return result;
}

int open_with(const char* name, const char* path, int flags, mode_t mode) {
  using Open = int(const char*, int, ...);
  const auto call = [&] { return next<Open>(name)(path, flags, mode); };
  return (flags & O_CREAT) != 0 ? told_int(run(fault_of(path), call), "create", path) : call();
}

}  // namespace
}  // namespace rallrec::testing

using rallrec::testing::Fault;
using rallrec::testing::plan;

namespace testing_io = rallrec::testing;

extern "C" {

void faulty_io_arm(const char* path, long first, long count, int fault, int error) {
  auto& p = plan();
  std::snprintf(p.path, sizeof p.path, "%s", path);
  p.first = first;
  p.count = count;
  p.fault = static_cast<Fault>(fault);
  p.error = error;
  p.calls = 0;
  p.armed = true;
}

void faulty_io_disarm() { plan().armed = false; }
void faulty_io_skip_fsync(int skip) { plan().skip_fsync = skip != 0; }
void faulty_io_observe(void (*observer)(const char*, const char*, const char*, const void*,
                                        unsigned long)) {
  plan().observer = observer;
}
long faulty_io_calls() { return plan().calls; }

ssize_t write(int descriptor, const void* bytes, size_t count) {
  const auto real = testing_io::next<ssize_t(int, const void*, size_t)>("write");
  const testing_io::PathOf path(descriptor);
  const Fault fault = testing_io::fault_of(path.text);
  switch (fault) {
    case Fault::kKillBefore:
      testing_io::die();
      break;
    case Fault::kError:
      errno = plan().error;
      return -1;
    case Fault::kShortWrite:
      count = count > 1 ? count / 2 : count;
      break;
    case Fault::kKillBetween:
      real(descriptor, bytes, count / 2);
      testing_io::die();
      break;
    default:
      break;
  }
  const ssize_t written =
      testing_io::told(real(descriptor, bytes, count), "write", path.text, "", bytes);
  if (fault == Fault::kKillAfter) {
    testing_io::die();
  }
  return written;
}

int fsync(int descriptor) {
  const testing_io::PathOf path(descriptor);
  const int result = testing_io::run(testing_io::fault_of(path.text), [&] {
    return plan().armed && plan().skip_fsync ? 0 : testing_io::next<int(int)>("fsync")(descriptor);
  });
  return testing_io::told_int(result, "fsync", path.text);
}

int rename(const char* from, const char* to) noexcept {
  const int result = testing_io::run(testing_io::fault_of(from), [&] {
    return testing_io::next<int(const char*, const char*)>("rename")(from, to);
  });
  return testing_io::told_int(result, "rename", from, to);
}

int mkdir(const char* path, mode_t mode) noexcept {
  const int result = testing_io::run(testing_io::fault_of(path), [&] {
    return testing_io::next<int(const char*, mode_t)>("mkdir")(path, mode);
  });
  return testing_io::told_int(result, "mkdir", path);
}

int rmdir(const char* path) noexcept {
  const int result = testing_io::run(testing_io::fault_of(path), [&] {
    return testing_io::next<int(const char*)>("rmdir")(path);
  });
  return testing_io::told_int(result, "remove", path);
}

int unlink(const char* path) noexcept {
  const int result = testing_io::run(testing_io::fault_of(path), [&] {
    return testing_io::next<int(const char*)>("unlink")(path);
  });
  return testing_io::told_int(result, "remove", path);
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  char whole[2048];
  const bool relative = folder != AT_FDCWD && path[0] != '/';
  std::snprintf(whole, sizeof whole, "%s%s%s", relative ? testing_io::PathOf(folder).text : "",
                relative ? "/" : "", path);
  const int result = testing_io::run(testing_io::fault_of(whole), [&] {
    return testing_io::next<int(int, const char*, int)>("unlinkat")(folder, path, flags);
  });
  return testing_io::told_int(result, "remove", whole);
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : mode_t{0};
  va_end(arguments);
  return testing_io::open_with("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : mode_t{0};
  va_end(arguments);
  return testing_io::open_with("open64", path, flags, mode);
}

}  // extern "C"
