#include "commands/failure.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <thread>

namespace rallrec::commands {
namespace {

// How long another rank leaves rank 0 to report the same failure first. mpirun ends the others a
// second after one has ended.
constexpr auto kUntilAborted = std::chrono::milliseconds(700);
constexpr auto kUntilLauncherActs = std::chrono::milliseconds(3000);

}  // namespace

ExitCode report_failure(const std::exception_ptr& failure, const std::string& command, int rank,
                        Ending ending) {
  Failure what = failure_of(failure);
  if (rank > 0) {
    std::this_thread::sleep_for(ending == Ending::kSession ? kUntilAborted : kUntilLauncherActs);
  }
  spdlog::default_logger()->flush();
  const std::string name = command.empty() ? "rallrec" : "rallrec " + command;
  // What a stage says of itself names it already.
  const std::string own = command + ": ";
  if (what.message.compare(0, own.size(), own) == 0) {
    what.message.erase(0, own.size());
  }
  const std::string who = rank > 0 ? " (rank " + std::to_string(rank) + ")" : "";
  std::fprintf(stderr, "%s%s: %s\n", name.c_str(), who.c_str(), what.message.c_str());
  std::fflush(stderr);
  return what.code;
}

}  // namespace rallrec::commands
