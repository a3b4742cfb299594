#include "pipeline/bench/child_peak.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"
#include "core/process_memory.h"

namespace rallrec::pipeline {
namespace {

[[noreturn]] void run_child(int out, const std::function<void()>& prepare,
                            const std::function<void()>& work) {
  std::int64_t bytes = -1;
  try {
    prepare();
    const std::int64_t before = resident_bytes();
    work();
    bytes = peak_resident_bytes() - before;
  } catch (...) {
    bytes = -1;
  }
  const bool sent = write(out, &bytes, sizeof(bytes)) == ssize_t{sizeof(bytes)};
  _exit(sent && bytes >= 0 ? 0 : 1);
}

[[noreturn]] void fail(const char* what) {
  throw Error(ExitCode::kInternal, std::string("bench: memory of one arm: ") + what);
}

}  // namespace

std::int64_t child_peak_bytes(const std::function<void()>& prepare,
                              const std::function<void()>& work) {
  int ends[2];
  if (pipe(ends) != 0) {
    fail("no pipe");
  }
  const pid_t child = fork();
  if (child < 0) {
    fail("no child process");
  }
  if (child == 0) {
    run_child(ends[1], prepare, work);
  }
  close(ends[1]);
  std::int64_t bytes = -1;
  const bool received = read(ends[0], &bytes, sizeof(bytes)) == ssize_t{sizeof(bytes)};
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!received || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fail("the child process failed or was killed; is there enough memory?");
  }
  return bytes;
}

}  // namespace rallrec::pipeline
