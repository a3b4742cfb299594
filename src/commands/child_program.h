#pragma once

#include <optional>
#include <string>
#include <vector>

namespace rallrec::commands {

// What a program that has ended left behind.
struct ChildOutcome {
  int status = 0;      // its exit code; that of an internal error where a signal ended it
  std::string output;  // stdout and stderr as they came, at most 1 MiB
};

// Starts words[0], looked for in PATH where it holds no slash, without a shell, and waits for its
// end. Nothing where there is no such program. Throws Error (I/O) where it cannot be started for
// another reason.
std::optional<ChildOutcome> run_child(std::vector<std::string> words);

}  // namespace rallrec::commands
