#include "train/stop_signals.h"

#include <unistd.h>

#include <csignal>

namespace rallrec::train {
namespace {

// A signal handler can reach nothing else.
volatile std::sig_atomic_t stop_flag = 0;
volatile std::sig_atomic_t checkpoint_flag = 0;
struct sigaction earlier_stop;
struct sigaction earlier_checkpoint;

void request_stop(int) { stop_flag = 1; }
void request_checkpoint(int) { checkpoint_flag = 1; }

void install(int signal, void (*handler)(int), struct sigaction* earlier) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, earlier);
}

}  // namespace

StopSignals::StopSignals(std::string folder) : file_(std::move(folder) + "/checkpoint.now") {
  stop_flag = 0;
  checkpoint_flag = 0;
  install(SIGUSR1, request_stop, &earlier_stop);
  install(SIGUSR2, request_checkpoint, &earlier_checkpoint);
}

StopSignals::~StopSignals() {
  sigaction(SIGUSR1, &earlier_stop, nullptr);
  sigaction(SIGUSR2, &earlier_checkpoint, nullptr);
  if (stop_flag != 0 && !obeyed_) {
    std::raise(SIGUSR1);  // came when there was nothing left to stop: for whoever listens now
  }
}

bool StopSignals::stop_requested() const { return stop_flag != 0; }
void StopSignals::obeyed() { obeyed_ = true; }

bool StopSignals::take_checkpoint_request() {
  const bool by_signal = checkpoint_flag != 0;
  checkpoint_flag = 0;
  const bool by_file = ::unlink(file_.c_str()) == 0;
  return by_signal || by_file;
}

}  // namespace rallrec::train
