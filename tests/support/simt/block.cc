#include "tests/support/simt/block.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "tests/support/simt/builtins.h"
#include "tests/support/simt/code_name.h"
#include "tests/support/simt/device_side.h"
#include "tests/support/simt/fibre.h"
#include "tests/support/simt/race_detector.h"
#include "tests/support/simt/report.h"
#include "tests/support/simt/running_block.h"
#include "tests/support/simt/shared_memory.h"

uint3 threadIdx{0, 0, 0};
uint3 blockIdx{0, 0, 0};
dim3 blockDim;
dim3 gridDim;

namespace rallrec::simt {

RunningBlock& running_block() {
  static auto& block = *new RunningBlock;
  return block;
}

bool RunningBlock::run(const KernelCall& call, uint3 index, Random& random) {
  begin(call, index);
  while (!ready_.empty() && !failed_) {
    const std::size_t pick = random.below(ready_.size());
    BlockThread& thread = *threads_[ready_[pick]];
    ready_[pick] = ready_.back();
    ready_.pop_back();
    current_ = &thread;
    threadIdx = thread.index;
    thread.fibre.resume();
  }
  current_ = nullptr;
  if (!failed_ && ended_ != count_) {
    report(whereabouts() + "not all threads reach the same barrier: " + who_waits());
    failed_ = true;
  }
  return !failed_;
}

void RunningBlock::begin(const KernelCall& call, uint3 index) {
  call_ = &call;
  count_ = call.block.x * call.block.y * call.block.z;
  ended_ = 0;
  at_barrier_ = 0;
  failed_ = false;
  blockIdx = index;
  blockDim = call.block;
  gridDim = call.grid;
  while (threads_.size() < count_) {
    threads_.push_back(std::make_unique<BlockThread>());
  }
  poison_shared_memory(call.shared_bytes);
  block_races_.begin_block(
      call.launch, index.x + std::uint64_t{call.grid.x} * (index.y + call.grid.y * index.z));
  races_.begin_block(count_, static_shared_memory(), dynamic_shared_region());
  ready_.resize(count_);
  for (unsigned i = 0; i < count_; ++i) {
    ready_[i] = i;
    BlockThread& thread = *threads_[i];
    thread.number = i;
    thread.index = {i % call.block.x, i / call.block.x % call.block.y,
                    i / (call.block.x * call.block.y)};
    thread.state = BlockThread::State::kReady;
    thread.request = nullptr;
    thread.copies.clear();
    thread.groups.clear();
    thread.fibre.start(&RunningBlock::run_thread, this);
  }
}

void RunningBlock::run_thread(void* self) {
  auto* block = static_cast<RunningBlock*>(self);
  block->call_->body();
  BlockThread& thread = *block->current_;
  if (!thread.copies.empty() || !thread.groups.empty()) {
    block->fail("ends with asynchronous copies that nobody has waited for");
  }
  thread.state = BlockThread::State::kEnded;
  ++block->ended_;
  thread.fibre.suspend();
}

void RunningBlock::wait(BlockThread::State state) {
  BlockThread& thread = *current_;
  thread.state = state;
  thread.fibre.suspend();
}

void RunningBlock::wake(BlockThread& thread) {
  if (&thread != current_) {
    ready_.push_back(thread.number);
  }
  thread.state = BlockThread::State::kReady;
}

std::string RunningBlock::whereabouts() const {
  return function_name(call_->function) + ", block (" + std::to_string(blockIdx.x) + ", " +
         std::to_string(blockIdx.y) + ", " + std::to_string(blockIdx.z) + "): ";
}

void RunningBlock::fail(const std::string& text) {
  report(whereabouts() + "thread " + std::to_string(current_->number) + " " + text);
  abandon();
}

void RunningBlock::abandon() {
  failed_ = true;
  current_->fibre.suspend();
  __builtin_unreachable();
}

std::string RunningBlock::who_waits() const {
  constexpr unsigned kShown = 2;
  std::string text;
  unsigned shown[3] = {0, 0, 0};
  for (unsigned i = 0; i < count_; ++i) {
    const BlockThread& thread = *threads_[i];
    const auto state = static_cast<unsigned>(thread.state) - 1;
    if (++shown[state] > kShown) {
      continue;
    }
    text += (text.empty() ? "thread " : ", thread ") + std::to_string(i);
    if (thread.state == BlockThread::State::kEnded) {
      text += " has ended";
    } else {
      text += " waits at " + std::string(thread.waits_for) + " (" + thread.site.file + ":" +
              std::to_string(thread.site.line) + ")";
    }
  }
  return text;
}

void forget_device_memory() { running_block().forget_memory(); }

bool run_block(const KernelCall& call, uint3 index, Random& random) {
  return running_block().run(call, index, random);
}

}  // namespace rallrec::simt
