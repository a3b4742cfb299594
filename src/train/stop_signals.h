#pragma once

#include <string>

namespace rallrec::train {

// What a person or a scheduler asks of a running program: SIGUSR1 = checkpoint and end (exit 75),
// SIGUSR2 or a file `checkpoint.now` in the run folder = checkpoint and go on. While an object
// lives these signals set flags instead of ending the process; its end restores the earlier
// handlers. One at a time.
class StopSignals {
 public:
  // `folder` is where checkpoint.now is looked for.
  explicit StopSignals(std::string folder);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  bool stop_requested() const;
  // True once per request; removes checkpoint.now.
  bool take_checkpoint_request();

 private:
  std::string file_;
};

}  // namespace rallrec::train
