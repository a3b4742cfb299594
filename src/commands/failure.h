#pragma once

#include <exception>
#include <string>

#include "core/error.h"

namespace rallrec::commands {

// Who ends the other ranks where rank 0 fails: this program, or its launcher, which takes longer.
enum class Ending { kSession, kLauncher };

// Writes "rallrec <command>: <message>" to stderr, once for the job: where all ranks fail alike
// rank 0 writes and the others are ended before they do. Returns the exit code: an Error's own,
// else 70.
ExitCode report_failure(const std::exception_ptr& failure, const std::string& command, int rank,
                        Ending ending);

}  // namespace rallrec::commands
