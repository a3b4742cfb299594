#include "tests/support/simt/race_detector.h"

#include <algorithm>

#include "tests/support/simt/code_name.h"

namespace rallrec::simt {

void RaceDetector::begin_block(unsigned threads, Region statics, Region dynamic) {
  ++block_;
  phase_ = 0;
  shadows_[0].region = statics;
  shadows_[1].region = dynamic;
  for (Shadow& shadow : shadows_) {
    shadow.cells.resize(std::max(shadow.cells.size(), shadow.region.bytes));
  }
  known_.assign(threads, {});
}

void RaceDetector::block_barrier() {
  ++phase_;
  for (auto& lanes : known_) {
    lanes.fill(0);
  }
}

void RaceDetector::warp_barrier(unsigned warp, unsigned mask) {
  std::array<std::uint32_t, kWarp> met{};
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((mask >> lane & 1) != 0) {
      auto& known = known_[warp * kWarp + lane];
      ++known[lane];
      for (unsigned other = 0; other < kWarp; ++other) {
        met[other] = std::max(met[other], known[other]);
      }
    }
  }
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((mask >> lane & 1) != 0) {
      known_[warp * kWarp + lane] = met;
    }
  }
}

RaceDetector::Cell* RaceDetector::cell_of(const char* address) {
  for (Shadow& shadow : shadows_) {
    if (address >= shadow.region.begin && address < shadow.region.begin + shadow.region.bytes) {
      return &shadow.cells[static_cast<std::size_t>(address - shadow.region.begin)];
    }
  }
  return nullptr;
}

bool RaceDetector::covers(const void* address) const {
  const auto* byte = static_cast<const char*>(address);
  return std::any_of(shadows_.begin(), shadows_.end(), [byte](const Shadow& shadow) {
    return byte >= shadow.region.begin && byte < shadow.region.begin + shadow.region.bytes;
  });
}

bool RaceDetector::ordered(const Event& earlier, unsigned thread) const {
  if (earlier.thread < 0 || earlier.phase < phase_) {
    return true;
  }
  const auto other = static_cast<unsigned>(earlier.thread);
  if (other == thread) {
    return true;
  }
  return other / kWarp == thread / kWarp && known_[thread][other % kWarp] > earlier.epoch;
}

std::string RaceDetector::look(Cell& cell, unsigned thread, Access access) {
  const auto race = [&](const char* earlier_access, const Event& earlier) {
    return std::string("data race on shared memory: thread ") + std::to_string(thread) +
           (access == Access::kRead ? " reads" : " writes") + " what thread " +
           std::to_string(earlier.thread) + " " + earlier_access + " (" + code_name(earlier.code) +
           ") with no barrier between";
  };
  if (access == Access::kRead && cell.write.thread < 0) {
    return "thread " + std::to_string(thread) + " reads shared memory that nobody has written";
  }
  if (!ordered(cell.write, thread) && !(access == Access::kAtomic && cell.atomic)) {
    return race("wrote", cell.write);
  }
  if (access != Access::kRead) {
    for (const Event& read : cell.reads) {
      if (!ordered(read, thread)) {
        return race("read", read);
      }
    }
  }
  return {};
}

void RaceDetector::record(Cell& cell, unsigned thread, Access access, const void* code) {
  const Event event{static_cast<int>(thread), phase_, known_[thread][thread % kWarp], code};
  if (access != Access::kRead) {
    cell.write = event;
    cell.atomic = access == Access::kAtomic;
  } else if (cell.reads[0].thread == event.thread || cell.reads[0].thread < 0) {
    cell.reads[0] = event;
  } else {
    cell.reads[1] = cell.reads[0];
    cell.reads[0] = event;
  }
}

std::string RaceDetector::access(unsigned thread, const void* address, std::size_t bytes,
                                 Access access, const void* code) {
  for (std::size_t i = 0; i < bytes; ++i) {
    Cell* cell = cell_of(static_cast<const char*>(address) + i);
    if (cell == nullptr) {
      continue;
    }
    if (cell->block != block_) {
      *cell = Cell{};
      cell->block = block_;
    }
    std::string problem = look(*cell, thread, access);
    if (!problem.empty()) {
      return problem + "; at " + code_name(code);
    }
    record(*cell, thread, access, code);
  }
  return {};
}

}  // namespace rallrec::simt
