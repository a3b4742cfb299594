// The program: parse the command line, join the job, run the command, report a failure once.
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>

#include "commands/failure.h"
#include "commands/invocation.h"
#include "commands/requeue_signals.h"
#include "distributed/launch_environment.h"
#include "distributed/session.h"

namespace {

using rallrec::commands::Invocation;
using rallrec::commands::report_failure;

int run_in_session(const Invocation& invocation) {
  rallrec::distributed::Session session(rallrec::distributed::detect_launch_environment());
  try {
    const int code = rallrec::commands::execute(invocation, session);
    session.finish();
    return code;
  } catch (...) {
    const rallrec::ExitCode code =
        report_failure(session.cause_of(std::current_exception()), invocation.command->name,
                       session.communicator().rank(), rallrec::commands::Ending::kSession);
    session.abort(code);
    return static_cast<int>(code);
  }
}

}  // namespace

int main(int argc, char** argv) {
  rallrec::commands::handle_requeue_signals(rallrec::distributed::launched_rank());
  std::string command;
  try {
    const std::optional<Invocation> invocation = rallrec::commands::parse_command_line(argc, argv);
    if (!invocation) {
      return EXIT_SUCCESS;
    }
    command = invocation->command->name;
    return run_in_session(*invocation);
  } catch (...) {
    return static_cast<int>(report_failure(std::current_exception(), command,
                                           rallrec::distributed::launched_rank(),
                                           rallrec::commands::Ending::kLauncher));
  }
}
