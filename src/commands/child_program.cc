#include "commands/child_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/error.h"

extern "C" char** environ;

namespace rallrec::commands {
namespace {

constexpr std::size_t kMostOutput = std::size_t{1} << 20;

// The command as the system wants it: pointers into `words`, ended by null.
std::vector<char*> argument_pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

// Starts the program with stdout (which is ours to write) and stderr going into `write_end`; -1
// where there is none of this name.
pid_t start(std::vector<std::string>& words, int write_end) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, write_end, STDERR_FILENO);
  pid_t child = -1;
  const int error = posix_spawnp(&child, words.front().c_str(), &actions, nullptr,
                                 argument_pointers(words).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0 && error != ENOENT) {
    throw_io(words.front(), "starting", error);
  }
  return error == 0 ? child : -1;
}

std::string read_to_end(int descriptor) {
  std::string text;
  std::array<char, 4096> block;
  while (true) {
    const ssize_t got = ::read(descriptor, block.data(), block.size());
    if (got > 0) {
      text.append(block.data(), text.size() < kMostOutput ? static_cast<std::size_t>(got) : 0);
    } else if (got == 0 || errno != EINTR) {
      return text;
    }
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(ExitCode::kInternal);
}

// A descriptor that is closed with its owner.
struct Descriptor {
  int number = -1;
  ~Descriptor() { close(); }
  void close() {
    if (number >= 0) {
      ::close(number);
    }
    number = -1;
  }
};

}  // namespace

std::optional<ChildOutcome> run_child(std::vector<std::string> words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw_io(words.front(), "making a pipe", errno);
  }
  const Descriptor read_end{ends[0]};
  Descriptor write_end{ends[1]};
  const pid_t child = start(words, write_end.number);
  if (child < 0) {
    return std::nullopt;
  }
  write_end.close();
  std::string output = read_to_end(read_end.number);
  return ChildOutcome{wait_for(child), std::move(output)};
}

}  // namespace rallrec::commands
