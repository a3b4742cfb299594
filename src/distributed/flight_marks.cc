#include "distributed/flight_marks.h"

namespace rallrec::distributed {
namespace {

thread_local FlightRecord* of_thread = nullptr;

}  // namespace

FlightRecord* current_flight() { return of_thread; }

FlightOfThread::FlightOfThread(FlightRecord& record) : earlier_(of_thread) { of_thread = &record; }

FlightOfThread::~FlightOfThread() { of_thread = earlier_; }

void mark_stage(const std::string& name) {
  if (FlightRecord* record = current_flight()) {
    record->stage(name);
  }
}

void mark_step(std::int64_t step) {
  if (FlightRecord* record = current_flight()) {
    record->step(step);
  }
}

void mark_phase(Phase phase, std::int64_t layer) {
  if (FlightRecord* record = current_flight()) {
    record->phase(phase, static_cast<std::int32_t>(layer));
  }
}

void keep_flight_in(const std::string& folder) {
  if (FlightRecord* record = current_flight()) {
    record->keep_in(folder);
  }
}

PhaseScope::PhaseScope(Phase phase) : record_(current_flight()) {
  if (record_ != nullptr) {
    outer_ = record_->open_scope(phase);
  }
}

PhaseScope::~PhaseScope() {
  if (record_ != nullptr) {
    record_->close_scope(outer_);
  }
}

}  // namespace rallrec::distributed
