#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/simt/block.h"
#include "tests/support/simt/block_races.h"
#include "tests/support/simt/device_side.h"
#include "tests/support/simt/fibre.h"
#include "tests/support/simt/race_detector.h"

namespace rallrec::simt {

// One cp.async that has been started.
struct PendingCopy {
  void* to;
  const void* from;
  int bytes;
  int valid;
};

// A thread of the block that runs.
struct BlockThread {
  enum class State { kReady, kAtBarrier, kInWarp, kEnded };
  Fibre fibre;
  unsigned number = 0;
  uint3 index{0, 0, 0};
  State state = State::kReady;
  Site site{"", 0};
  const char* waits_for = "";
  BarrierResult result = BarrierResult::kNone;
  int predicate = 0;
  int outcome = 0;
  WarpRequest* request = nullptr;
  std::vector<PendingCopy> copies;  // not committed
  std::deque<std::vector<PendingCopy>> groups;
};

// The block that runs, its threads and what they wait for.
class RunningBlock {
 public:
  bool run(const KernelCall& call, uint3 index, Random& random);

  // For the thread that runs.
  BlockThread& current() { return *current_; }
  int barrier(BarrierResult result, int predicate, Site site);
  void warp(WarpRequest& request);
  [[noreturn]] void fail(const std::string& text);
  // Tells the race detector; fails where that finds something.
  void note(const void* address, std::size_t bytes, Access access, const void* code);

  // What -fsanitize=thread calls in a program whose kernels it has instrumented. Without it only
  // some accesses are seen, from which nothing follows, and note() does nothing.
  void see_all_accesses() { sees_all_accesses_ = true; }

  void forget_memory() { block_races_.forget(); }

 private:
  static void run_thread(void* self);
  void begin(const KernelCall& call, uint3 index);
  void wait(BlockThread::State state);
  void wake(BlockThread& thread);
  [[noreturn]] void abandon();
  void check_mask(const WarpRequest& request);
  bool all_arrived(const WarpRequest& request);
  std::string whereabouts() const;
  std::string who_waits() const;

  const KernelCall* call_ = nullptr;
  unsigned count_ = 0;
  unsigned ended_ = 0;
  unsigned at_barrier_ = 0;
  bool failed_ = false;
  bool sees_all_accesses_ = false;
  BlockThread* current_ = nullptr;
  std::vector<std::unique_ptr<BlockThread>> threads_;
  std::vector<unsigned> ready_;
  RaceDetector races_;
  BlockRaces block_races_;
};

RunningBlock& running_block();

}  // namespace rallrec::simt
