#include "distributed/flight_record.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <type_traits>

namespace rallrec::distributed {
namespace {

static_assert(std::is_trivially_copyable_v<FlightEvent>);
static_assert(sizeof(FlightEvent) % sizeof(std::uint64_t) == 0);

std::int64_t nanoseconds_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void FlightRecord::write(FlightKind kind, const CallNote& call) {
  const std::uint64_t number = written_.load(std::memory_order_relaxed) + 1;
  FlightEvent event = now_;
  event.number = number;
  event.nanoseconds = nanoseconds_now();
  event.kind = kind;
  event.call = call;
  std::array<std::uint64_t, kWords> words;
  std::memcpy(words.data(), &event, sizeof(event));

  Slot& slot = slots_[number % kCapacity];
  slot.version.store(2 * number - 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  for (std::size_t i = 0; i < kWords; ++i) {
    slot.words[i].store(words[i], std::memory_order_relaxed);
  }
  slot.version.store(2 * number, std::memory_order_release);
  written_.store(number, std::memory_order_release);
  if (stop_count_ > 0 && now_.phase == stop_phase_ && --stop_count_ == 0) {
    std::raise(SIGSTOP);
  }
}

bool FlightRecord::read(std::uint64_t number, FlightEvent& event) const {
  const Slot& slot = slots_[number % kCapacity];
  if (slot.version.load(std::memory_order_acquire) != 2 * number) {
    return false;
  }
  std::array<std::uint64_t, kWords> words;
  for (std::size_t i = 0; i < kWords; ++i) {
    words[i] = slot.words[i].load(std::memory_order_relaxed);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  if (slot.version.load(std::memory_order_relaxed) != 2 * number) {
    return false;
  }
  std::memcpy(static_cast<void*>(&event), words.data(), sizeof(event));
  return true;
}

FlightEvent FlightRecord::newest() const {
  FlightEvent event;
  // Only a writer that goes round the whole ring meanwhile makes a look fail.
  while (const std::uint64_t number = written_.load(std::memory_order_acquire)) {
    if (read(number, event)) {
      break;
    }
  }
  return event;
}

std::vector<FlightEvent> FlightRecord::events() const {
  const std::uint64_t last = written_.load(std::memory_order_acquire);
  std::vector<FlightEvent> events;
  FlightEvent event;
  for (std::uint64_t number = last > kCapacity ? last - kCapacity + 1 : 1; number <= last;
       ++number) {
    if (read(number, event)) {
      events.push_back(event);
    }
  }
  return events;
}

void FlightRecord::stage(const std::string& name) {
  now_.stage = {};
  name.copy(now_.stage.data(), now_.stage.size() - 1);
  now_.phase = Phase::kData;
  now_.layer = -1;
  now_.step = 0;
  write(FlightKind::kStage, now_.call);
}

void FlightRecord::phase(Phase phase, std::int32_t layer) {
  const bool entered = !scoped_ && phase != now_.phase;
  now_.phase = scoped_ ? now_.phase : phase;
  now_.layer = layer;
  write(entered ? FlightKind::kPhase : FlightKind::kLayer, now_.call);
}

void FlightRecord::step(std::int64_t step) {
  now_.step = step;
  write(FlightKind::kStep, now_.call);
}

FlightRecord::Outer FlightRecord::open_scope(Phase phase) {
  const Outer outer{now_.phase, now_.layer, scoped_};
  now_.phase = phase;
  now_.layer = -1;
  scoped_ = true;
  write(FlightKind::kPhase, now_.call);
  return outer;
}

void FlightRecord::close_scope(const Outer& outer) {
  now_.phase = outer.phase;
  now_.layer = outer.layer;
  scoped_ = outer.scoped;
  write(FlightKind::kPhase, now_.call);
}

CallNote FlightRecord::call(const Collective& call, std::size_t input_bytes) {
  const std::uint64_t sequence = calls_.load(std::memory_order_relaxed) + 1;
  calls_.store(sequence, std::memory_order_relaxed);
  now_.call = {sequence, call.kind, call.dtype, input_bytes / size_of(call.dtype), {}};
  text_of(call.site).copy(now_.call.site.data(), now_.call.site.size() - 1);
  write(FlightKind::kCall, now_.call);
  return now_.call;
}

void FlightRecord::wait(const CallNote& call) {
  waiting_since_.store(nanoseconds_now(), std::memory_order_relaxed);
  write(FlightKind::kWait, call);
}

void FlightRecord::done(const CallNote& call) {
  const std::int64_t since = waiting_since_.exchange(0, std::memory_order_relaxed);
  waited_.store(waited_.load(std::memory_order_relaxed) + nanoseconds_now() - since,
                std::memory_order_relaxed);
  write(FlightKind::kDone, call);
}

std::int64_t FlightRecord::waited_nanoseconds() const {
  const std::int64_t since = waiting_since_.load(std::memory_order_relaxed);
  const std::int64_t waited = waited_.load(std::memory_order_relaxed);
  return since == 0 ? waited : waited + std::max<std::int64_t>(0, nanoseconds_now() - since);
}

void FlightRecord::keep_in(const std::string& folder) {
  const std::lock_guard<std::mutex> lock(folder_mutex_);
  folder_ = folder;
}

std::string FlightRecord::folder() const {
  const std::lock_guard<std::mutex> lock(folder_mutex_);
  return folder_;
}

void FlightRecord::stop_at(Phase phase, int count) {
  stop_phase_ = phase;
  stop_count_ = count;
}

}  // namespace rallrec::distributed
