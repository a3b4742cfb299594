#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace rallrec::testing {

// A program that runs while the test goes on. Its output goes to a file. Ended with SIGKILL by the
// destructor where it still runs.
class BackgroundProgram {
 public:
  BackgroundProgram(std::vector<std::string> arguments, const std::vector<std::string>& variables,
                    const std::string& output);
  ~BackgroundProgram();
  BackgroundProgram(const BackgroundProgram&) = delete;
  BackgroundProgram& operator=(const BackgroundProgram&) = delete;

  void signal(int number) const;
  // Its children, as the system lists them: the ranks of an mpirun.
  std::vector<pid_t> children() const;
  bool running();
  // kill -9 for it and its children in one go: mpirun gives every rank a process group of its own,
  // so a signal to one group would spare the others. Returns how many of them were alive; none is
  // when it returns.
  int kill_all();
  // Exit code, 128 + n for signal n.
  int wait();

 private:
  pid_t process_ = -1;
  int code_ = -1;
};

// Waits until `condition` holds or the seconds are over.
template <typename Condition>
bool wait_until(Condition&& condition, double seconds);

}  // namespace rallrec::testing

#include <unistd.h>

namespace rallrec::testing {

template <typename Condition>
bool wait_until(Condition&& condition, double seconds) {
  for (int i = 0; i < static_cast<int>(seconds * 200); ++i) {
    if (condition()) {
      return true;
    }
    ::usleep(5000);
  }
  return false;
}

}  // namespace rallrec::testing
