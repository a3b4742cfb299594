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
  // Says that the program ends because of the request. A request that nobody obeyed is raised again
  // when the object goes, for the earlier handler.
  void obeyed();
  // True once per request; removes checkpoint.now.
  bool take_checkpoint_request();

 private:
  std::string file_;
  bool obeyed_ = false;
};

}  // namespace rallrec::train
