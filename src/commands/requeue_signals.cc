#include "commands/requeue_signals.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

#include "core/error.h"
#include "pipeline/run_lock.h"

namespace rallrec::commands {
namespace {

constexpr std::string_view kMessage =
    "rallrec: stopped on request (SIGUSR1); start the same command again to go on\n";
// A signal handler can reach nothing else.
volatile std::sig_atomic_t speaks = 0;

void stop(int) {
  if (speaks != 0) {
    const ssize_t unheard = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
    static_cast<void>(unheard);
  }
  pipeline::remove_held_locks();
  ::_exit(static_cast<int>(ExitCode::kCheckpointed));
}

void end(int signal) {
  pipeline::remove_held_locks();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

// Not where the parent had it ignored, as a shell does with SIGINT for what it puts into the
// background.
void end_at(int signal) {
  if (std::signal(signal, end) == SIG_IGN) {
    std::signal(signal, SIG_IGN);
  }
}

}  // namespace

void handle_requeue_signals(int rank) {
  speaks = rank == 0 ? 1 : 0;
  std::signal(SIGUSR1, stop);
  std::signal(SIGUSR2, SIG_IGN);
  end_at(SIGTERM);
  end_at(SIGINT);
}

}  // namespace rallrec::commands
