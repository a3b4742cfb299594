#pragma once

namespace rallrec::commands {

// From now on SIGUSR1 ends the process at once with exit code 75 (please requeue), with a line on
// stderr from rank 0: finished stages stand, and the same command goes on from them. SIGUSR2 asks
// for a checkpoint and there is none to write. tune takes both over while it trains
// (train/stop_signals.h). SIGTERM and SIGINT end it as they would, without leaving locks of run
// folders behind: the next start may be on another host.
void handle_requeue_signals(int rank);

}  // namespace rallrec::commands
