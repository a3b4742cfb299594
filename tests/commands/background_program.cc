#include "tests/commands/background_program.h"

#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace rallrec::testing {

namespace {

// Whether the process still runs; one that only waits to be reaped (state Z) does not.
bool is_alive(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);                      // empty where it ends at this moment
  const std::size_t name_end = text.rfind(')');  // the name before it may hold anything
  return name_end != std::string::npos && text.size() > name_end + 2 && text[name_end + 2] != 'Z';
}

}  // namespace

BackgroundProgram::BackgroundProgram(std::vector<std::string> arguments,
                                     const std::vector<std::string>& variables,
                                     const std::string& output) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  process_ = fork();
  if (process_ < 0) {
    throw std::runtime_error("fork failed");
  }
  if (process_ == 0) {
    if (freopen(output.c_str(), "a", stdout) == nullptr ||
        freopen(output.c_str(), "a", stderr) == nullptr) {
      _exit(126);
    }
    for (const std::string& variable : variables) {
      putenv(const_cast<char*>(variable.c_str()));
    }
    execvp(pointers[0], pointers.data());
    _exit(127);
  }
}

BackgroundProgram::~BackgroundProgram() {
  if (code_ < 0) {
    signal(SIGKILL);
    wait();
  }
}

void BackgroundProgram::signal(int number) const { ::kill(process_, number); }

std::vector<pid_t> BackgroundProgram::children() const {
  const std::string id = std::to_string(process_);
  std::ifstream list("/proc/" + id + "/task/" + id + "/children");
  std::vector<pid_t> children;
  for (pid_t child; list >> child;) {
    children.push_back(child);
  }
  return children;
}

bool BackgroundProgram::running() {
  int status = 0;
  if (code_ < 0 && waitpid(process_, &status, WNOHANG) == process_) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code_ < 0;
}

int BackgroundProgram::kill_all() {
  std::vector<pid_t> all = children();
  all.push_back(process_);
  int alive = 0;
  for (const pid_t process : all) {
    alive += is_alive(process) && ::kill(process, SIGKILL) == 0 ? 1 : 0;
  }
  wait();
  for (const pid_t process : all) {
    wait_until([process] { return !is_alive(process); }, 10);
  }
  return alive;
}

int BackgroundProgram::wait() {
  int status = 0;
  if (code_ < 0) {
    waitpid(process_, &status, 0);
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code_;
}

}  // namespace rallrec::testing
