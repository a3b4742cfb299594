#include "commands/python_tool.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/error.h"
#include "io/files.h"

extern "C" char** environ;

namespace rallrec::commands {
namespace {

constexpr std::size_t kMostOutput = std::size_t{1} << 20;

void require_tools(const std::string& python, const std::string& script) {
  if (!io::file_exists(python)) {
    throw_missing(python, "no Python there; run tools/setup.sh in the source folder");
  }
  if (!io::file_exists(script)) {
    throw_missing(script,
                  "the tool is gone; the source folder that this program was built from is needed");
  }
}

// The command as the system wants it: pointers into `words`, ended by null.
std::vector<char*> argument_pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

// Starts the command with stderr (and stdout, which is ours to write) going into `write_end`.
pid_t start(std::vector<std::string> words, int read_end, int write_end) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, write_end, STDERR_FILENO);
  posix_spawn_file_actions_addclose(&actions, read_end);
  posix_spawn_file_actions_addclose(&actions, write_end);
  pid_t child = -1;
  const int error = posix_spawn(&child, words.front().c_str(), &actions, nullptr,
                                argument_pointers(words).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    ::close(read_end);
    ::close(write_end);
    throw_io(words.front(), "starting", error);
  }
  return child;
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

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \n");
  if (end == std::string::npos) {
    return "it said nothing";
  }
  const std::size_t newline = text.rfind('\n', end);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  return text.substr(begin, end + 1 - begin);
}

// The codes that the tools share with this program; a Python that failed by itself says 1.
ExitCode exit_code_of(int status) {
  for (const ExitCode code :
       {ExitCode::kUsage, ExitCode::kBadData, ExitCode::kMissingInput, ExitCode::kIo}) {
    if (status == static_cast<int>(code)) {
      return code;
    }
  }
  return ExitCode::kInternal;
}

}  // namespace

void run_python_tool(const std::string& script, const std::vector<std::string>& arguments) {
  const std::string path = RALLREC_TOOLS_DIR "/" + script;
  require_tools(RALLREC_PYTHON, path);
  // -E -s: nothing from the user's own Python; -B: no cache files beside the source.
  std::vector<std::string> words;
  for (const char* word : {RALLREC_PYTHON, "-E", "-s", "-B", path.c_str()}) {
    words.emplace_back(word);
  }
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw_io(path, "making a pipe", errno);
  }
  const pid_t child = start(std::move(words), ends[0], ends[1]);
  ::close(ends[1]);
  const std::string output = read_to_end(ends[0]);
  ::close(ends[0]);
  const int status = wait_for(child);
  if (status != 0) {
    const ExitCode code = exit_code_of(status);
    throw Error(code,
                code == ExitCode::kInternal ? path + ": " + last_line(output) : last_line(output));
  }
}

}  // namespace rallrec::commands
