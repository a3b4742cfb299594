#pragma once

#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

namespace rallrec::testing {

struct TimedOutcome {
  int code = -1;       // -1 where a signal ended it
  std::string output;  // what goes to stdout
  double seconds = 0.0;
};

// Runs a line of the shell to its end.
inline TimedOutcome run_timed(const std::string& command) {
  const auto start = std::chrono::steady_clock::now();
  TimedOutcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) {
    outcome.output.append(buffer.data(), got);
  }
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

}  // namespace rallrec::testing
