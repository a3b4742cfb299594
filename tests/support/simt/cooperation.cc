// Block barriers, warp operations, atomics and asynchronous copies of the block that runs.
#include <sanitizer/asan_interface.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "tests/support/simt/device_side.h"
#include "tests/support/simt/running_block.h"

namespace rallrec::simt {
namespace {

constexpr unsigned kWarp = RaceDetector::kWarp;

std::string text_of(Site site) { return std::string(site.file) + ":" + std::to_string(site.line); }

bool same(Site a, Site b) { return a.line == b.line && std::strcmp(a.file, b.file) == 0; }

std::string hex(unsigned value) {
  char text[16];
  std::snprintf(text, sizeof(text), "0x%08x", value);
  return text;
}

}  // namespace

int RunningBlock::barrier(BarrierResult result, int predicate, Site site) {
  BlockThread& self = *current_;
  for (unsigned i = 0; at_barrier_ > 0 && i < count_; ++i) {
    const BlockThread& other = *threads_[i];
    if (other.state == BlockThread::State::kAtBarrier) {
      if (!same(other.site, site)) {
        fail("is at the barrier of " + text_of(site) + " while thread " + std::to_string(i) +
             " is at that of " + text_of(other.site) + ": not all threads reach the same barrier");
      }
      break;
    }
  }
  self.site = site;
  self.waits_for = "__syncthreads";
  self.predicate = predicate;
  if (++at_barrier_ < count_) {
    wait(BlockThread::State::kAtBarrier);
    return self.outcome;
  }
  at_barrier_ = 0;
  int outcome = result == BarrierResult::kAnd ? 1 : 0;
  for (unsigned i = 0; i < count_; ++i) {
    const int value = threads_[i]->predicate != 0 ? 1 : 0;
    outcome = result == BarrierResult::kAnd  ? outcome & value
              : result == BarrierResult::kOr ? outcome | value
                                             : outcome + value;
  }
  for (unsigned i = 0; i < count_; ++i) {
    threads_[i]->outcome = outcome;
    wake(*threads_[i]);
  }
  races_.block_barrier();
  return outcome;
}

void RunningBlock::check_mask(const WarpRequest& request) {
  const unsigned warp = current_->number / kWarp;
  if ((request.mask >> (current_->number % kWarp) & 1) == 0) {
    fail("calls " + std::string(request.name) + " with the mask " + hex(request.mask) +
         ", which does not name the thread itself (" + text_of(request.site) + ")");
  }
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((request.mask >> lane & 1) == 0) {
      continue;
    }
    const unsigned number = warp * kWarp + lane;
    if (number >= count_ || threads_[number]->state == BlockThread::State::kEnded) {
      fail("calls " + std::string(request.name) + " with the mask " + hex(request.mask) +
           ", whose lane " + std::to_string(lane) + " has ended or does not exist (" +
           text_of(request.site) + ")");
    }
    const WarpRequest* other = threads_[number]->request;
    if (other != nullptr && (other->mask != request.mask || other->complete != request.complete ||
                             !same(other->site, request.site))) {
      fail("calls " + std::string(request.name) + " with the mask " + hex(request.mask) + " (" +
           text_of(request.site) + ") while lane " + std::to_string(lane) + " waits in " +
           other->name + " with the mask " + hex(other->mask) + " (" + text_of(other->site) + ")");
    }
  }
}

bool RunningBlock::all_arrived(const WarpRequest& request) {
  const unsigned first = current_->number / kWarp * kWarp;
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((request.mask >> lane & 1) != 0 && threads_[first + lane]->request == nullptr) {
      return false;
    }
  }
  return true;
}

void RunningBlock::warp(WarpRequest& request) {
  check_mask(request);
  current_->request = &request;
  current_->site = request.site;
  current_->waits_for = request.name;
  if (!all_arrived(request)) {
    wait(BlockThread::State::kInWarp);
    return;
  }
  const unsigned warp = current_->number / kWarp;
  WarpRequest* lanes[kWarp] = {};
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((request.mask >> lane & 1) != 0) {
      lanes[lane] = threads_[warp * kWarp + lane]->request;
    }
  }
  request.complete(lanes, request.mask);
  if (request.complete == &complete_sync) {
    races_.warp_barrier(warp, request.mask);
  }
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if (lanes[lane] != nullptr) {
      threads_[warp * kWarp + lane]->request = nullptr;
      wake(*threads_[warp * kWarp + lane]);
    }
  }
}

void RunningBlock::note(const void* address, std::size_t bytes, Access access, const void* code) {
  if (!sees_all_accesses_ || current_ == nullptr || current_->fibre.on_stack(address)) {
    return;
  }
  const std::string problem = races_.covers(address)
                                  ? races_.access(current_->number, address, bytes, access, code)
                                  : block_races_.access(address, bytes, access, code);
  if (!problem.empty()) {
    fail("finds: " + problem);
  }
}

int block_barrier(BarrierResult result, int predicate, Site site) {
  return running_block().barrier(result, predicate, site);
}

void warp_operation(WarpRequest& request) { running_block().warp(request); }

unsigned lane_number() { return running_block().current().number % kWarp; }

void fail_kernel(const char* text) { running_block().fail(text); }

void note_read(const void* address, std::size_t bytes) {
  if (__asan_region_is_poisoned(const_cast<void*>(address), bytes) != nullptr) {
    fail_kernel("reads memory that is not there");
  }
  running_block().note(address, bytes, Access::kRead, __builtin_return_address(0));
}

void complete_sync(WarpRequest* const*, unsigned) {}

void complete_shuffle(WarpRequest* const* lanes, unsigned mask) {
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((mask >> lane & 1) == 0) {
      continue;
    }
    const WarpRequest& request = *lanes[lane];
    const WarpRequest* from = lanes[request.source];
    if (from == nullptr) {
      running_block().fail("completes a shuffle with the mask " + hex(mask) + " in which lane " +
                           std::to_string(lane) + " reads lane " + std::to_string(request.source) +
                           ", which is not in the mask (" + text_of(request.site) + ")");
    }
    std::memcpy(request.output, from->input, request.bytes);
  }
}

void complete_ballot(WarpRequest* const* lanes, unsigned mask) {
  unsigned votes = 0;
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((mask >> lane & 1) != 0 && *static_cast<const int*>(lanes[lane]->input) != 0) {
      votes |= 1U << lane;
    }
  }
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((mask >> lane & 1) != 0) {
      *static_cast<unsigned*>(lanes[lane]->output) = votes;
    }
  }
}

}  // namespace rallrec::simt
