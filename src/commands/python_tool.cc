#include "commands/python_tool.h"

#include <cerrno>
#include <optional>

#include "commands/child_program.h"
#include "core/error.h"
#include "io/files.h"

namespace rallrec::commands {
namespace {

void require_tools(const std::string& python, const std::string& script) {
  if (!io::file_exists(python)) {
    throw_missing(python, "no Python there; run tools/setup.sh in the source folder");
  }
  if (!io::file_exists(script)) {
    throw_missing(script,
                  "the tool is gone; the source folder that this program was built from is needed");
  }
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
  const std::optional<ChildOutcome> outcome = run_child(words);
  if (!outcome) {
    throw_io(RALLREC_PYTHON, "starting", ENOENT);
  }
  if (outcome->status != 0) {
    const ExitCode code = exit_code_of(outcome->status);
    throw Error(code, code == ExitCode::kInternal ? path + ": " + last_line(outcome->output)
                                                  : last_line(outcome->output));
  }
}

}  // namespace rallrec::commands
