#include "tests/commands/program.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "tests/support/temporary_folder.h"

namespace rallrec::testing {
namespace {

[[noreturn]] void become(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& variables, const std::string& out,
                         const std::string& err) {
  if (freopen(out.c_str(), "w", stdout) == nullptr ||
      freopen(err.c_str(), "w", stderr) == nullptr) {
    _exit(126);
  }
  for (const std::string& variable : variables) {
    putenv(const_cast<char*>(variable.c_str()));
  }
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
  _exit(127);
}

}  // namespace

Outcome run_program(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& variables) {
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child < 0) {
    throw std::runtime_error("fork failed");
  }
  if (child == 0) {
    become(arguments, variables, folder.file("out"), folder.file("err"));
  }
  int status = 0;
  waitpid(child, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, folder.get("out"), folder.get("err")};
}

Outcome rallrec(const std::vector<std::string>& arguments,
                const std::vector<std::string>& variables) {
  std::vector<std::string> all = {RALLREC_BINARY};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_program(all, variables);
}

int lines_in(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace rallrec::testing
