#pragma once

#include <cstdint>
#include <string>

#include "distributed/flight_record.h"

namespace rallrec::distributed {

// The record of the rank that this thread is, where it has one: the session's thread does, those
// that compute for it do not. Without one the marks below do nothing.
FlightRecord* current_flight();

// Makes `record` the thread's own while it lives.
class FlightOfThread {
 public:
  explicit FlightOfThread(FlightRecord& record);
  ~FlightOfThread();
  FlightOfThread(const FlightOfThread&) = delete;
  FlightOfThread& operator=(const FlightOfThread&) = delete;

 private:
  FlightRecord* earlier_;
};

// Where the rank is from now on; cheap enough for every layer. A new stage is in no step and in
// phase kData.
void mark_stage(const std::string& name);
void mark_step(std::int64_t step);
// Within a PhaseScope the layer alone counts.
void mark_phase(Phase phase, std::int64_t layer = -1);

// The run folder, or the folder of a command's results: where the record goes if the job hangs.
void keep_flight_in(const std::string& folder);

// A phase around whatever its parts call themselves: an evaluation has its own forward passes.
class PhaseScope {
 public:
  explicit PhaseScope(Phase phase);
  ~PhaseScope();
  PhaseScope(const PhaseScope&) = delete;
  PhaseScope& operator=(const PhaseScope&) = delete;

 private:
  FlightRecord* record_;
  FlightRecord::Outer outer_;
};

}  // namespace rallrec::distributed
