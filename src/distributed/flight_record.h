#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "distributed/collective.h"

namespace rallrec::distributed {

// What a rank is busy with, for whoever looks for the one that the others wait for. kData: reading,
// preparing and writing what belongs to no other phase.
enum class Phase : std::uint8_t {
  kStart,
  kData,
  kLoad,
  kPrompts,
  kForward,
  kBackward,
  kReduce,
  kUpdate,
  kCheckpoint,
  kEvaluation,
  kEnd
};
const char* name_of(Phase phase);

enum class FlightKind : std::uint8_t { kStage, kPhase, kStep, kLayer, kCall, kWait, kDone };
const char* name_of(FlightKind kind);

// A collective as one rank called it.
struct CallNote {
  // In the order of the rank's calls, from 1, over all its communicators; the same on all ranks, as
  // they call the same collectives. 0 = none yet.
  std::uint64_t sequence = 0;
  CollectiveKind kind = CollectiveKind::kBarrier;
  DType dtype = DType::kUInt8;
  std::uint64_t elements = 0;  // of this rank's input
  // "trainer.cc:123", cut to fit, ending in 0; empty where it is not known.
  std::array<char, 40> site{};
};

// Where a rank is, and what it did last. Plain bytes.
struct FlightEvent {
  std::uint64_t number = 0;      // 1, 2, … of the rank; 0 = there is none
  std::int64_t nanoseconds = 0;  // std::chrono::steady_clock of the rank's host
  FlightKind kind = FlightKind::kStage;
  Phase phase = Phase::kStart;
  std::int32_t layer = -1;  // -1 = in no layer
  std::int64_t step = 0;    // 0 = in none; an optimizer step, or an epoch of light_gcn and baseline
  // The one that kCall, kWait and kDone are about, else the newest that was called.
  CallNote call;
  std::array<char, 16> stage{};  // its name, cut to fit, ending in 0
};

// "tune, step 12, backward, layer 3".
std::string place_text(const FlightEvent& event);
// "all_gather_v of 3538944 x uint8 at sharded_int8_weights.cc:125 (collective 1207)".
std::string call_text(const CallNote& call);

// The last kCapacity events of one rank, and how long it has waited for others. One thread writes,
// without a lock and in some tens of nanoseconds; any thread may read at any time, and gets no torn
// event.
class FlightRecord {
 public:
  static constexpr std::size_t kCapacity = 1000;

  // Writers.
  void stage(const std::string& name);
  void phase(Phase phase, std::int32_t layer);
  void step(std::int64_t step);
  CallNote call(const Collective& call, std::size_t input_bytes);
  void wait(const CallNote& call);
  void done(const CallNote& call);

  // While a scope is open, phase() sets the layer alone. Returns what was there before.
  struct Outer {
    Phase phase = Phase::kStart;
    std::int32_t layer = -1;
    bool scoped = false;
  };
  Outer open_scope(Phase phase);
  void close_scope(const Outer& outer);

  // Readers. The newest event; number 0 where there is none.
  FlightEvent newest() const;
  // Oldest first.
  std::vector<FlightEvent> events() const;
  // Collectives called so far.
  std::uint64_t calls() const { return calls_; }
  // In waits for collectives, until now.
  std::int64_t waited_nanoseconds() const;

  // The folder that receives the record where the job hangs; "" = none is known.
  void keep_in(const std::string& folder);
  std::string folder() const;

  // SIGSTOP at the count-th event of a phase of the process that keeps this record; for tests.
  void stop_at(Phase phase, int count);

 private:
  static constexpr std::size_t kWords = sizeof(FlightEvent) / sizeof(std::uint64_t);
  // `version` is 2 n - 1 while event n is written, and 2 n when it is there.
  struct Slot {
    std::atomic<std::uint64_t> version{0};
    std::array<std::atomic<std::uint64_t>, kWords> words{};
  };

  void write(FlightKind kind, const CallNote& call);
  bool read(std::uint64_t number, FlightEvent& event) const;

  // The writer's own.
  FlightEvent now_;
  bool scoped_ = false;
  Phase stop_phase_ = Phase::kEnd;
  int stop_count_ = 0;

  mutable std::mutex folder_mutex_;
  std::string folder_;

  std::array<Slot, kCapacity> slots_;
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<std::int64_t> waited_{0};
  std::atomic<std::int64_t> waiting_since_{0};
};

}  // namespace rallrec::distributed
