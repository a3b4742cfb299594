#include "distributed/thread_group.h"

#include <cstring>
#include <utility>

#include "core/error.h"
#include "distributed/peer_lost.h"
#include "distributed/reduction.h"

namespace rallrec::distributed {
namespace {

std::string name_of(int rank) { return "rank " + std::to_string(rank); }

// Copies to `receiver`'s output, or to `scratch` for reductions, what every rank sends it.
void deliver(const std::vector<Collective>& calls, int receiver, unsigned char* output) {
  const int size = static_cast<int>(calls.size());
  const auto to = static_cast<std::size_t>(receiver);
  const Route in = route_of(calls[to], receiver, size);
  for (int sender = 0; sender < size; ++sender) {
    const auto from = static_cast<std::size_t>(sender);
    const Segment piece = in.receive[from];
    const std::size_t offset = route_of(calls[from], sender, size).send[to].offset;
    const auto* source = static_cast<const unsigned char*>(calls[from].input) + offset;
    if (piece.bytes > 0 && source != output + piece.offset) {
      std::memcpy(output + piece.offset, source, piece.bytes);
    }
  }
}

void move_reduction(const std::vector<Collective>& calls) {
  const Collective& first = calls[0];
  const std::size_t bytes = first.count * size_of(first.dtype);
  // Nothing is written before everything is read: all_reduce works in place.
  std::vector<std::vector<unsigned char>> pieces(calls.size());
  for (std::size_t rank = 0; rank < calls.size(); ++rank) {
    pieces[rank].resize(bytes * calls.size());
    deliver(calls, static_cast<int>(rank), pieces[rank].data());
  }
  for (std::size_t rank = 0; rank < calls.size(); ++rank) {
    reduce_pieces(calls[rank].output, pieces[rank].data(), static_cast<int>(calls.size()),
                  first.count, first.dtype, first.op);
  }
}

}  // namespace

void move_data(const std::vector<Collective>& calls) {
  const CollectiveKind kind = calls[0].kind;
  if (kind == CollectiveKind::kAllReduce || kind == CollectiveKind::kReduceScatter) {
    move_reduction(calls);
    return;
  }
  for (std::size_t rank = 0; rank < calls.size(); ++rank) {
    deliver(calls, static_cast<int>(rank), static_cast<unsigned char*>(calls[rank].output));
  }
}

ThreadGroup::ThreadGroup(int size)
    : size_(size),
      next_round_(static_cast<std::size_t>(size)),
      left_(static_cast<std::size_t>(size)) {}

std::uint64_t ThreadGroup::enter(int rank, Collective call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (error_ != nullptr) {
    throw PeerLost(describe(call) + " on " + name_of(rank) + ": another rank has failed");
  }
  const auto me = static_cast<std::size_t>(rank);
  const std::uint64_t number = next_round_[me]++;
  Round& round = round_at(number);
  check_match(round, rank, call);
  round.calls[me] = std::move(call);
  round.joined[me] = true;
  ++round.arrived;
  for (int other = 0; other < size_; ++other) {
    check_absent(round, other);
  }
  // Rounds fill in order: a rank enters one only after the one before.
  if (round.arrived == size_) {
    move_data(round.calls);
    open_.pop_front();
    ++first_open_;
    changed_.notify_all();
  }
  return number;
}

void ThreadGroup::wait(std::uint64_t round) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return is_complete(round) || error_ != nullptr; });
  if (!is_complete(round)) {
    throw PeerLost("a pending collective was given up: another rank has failed");
  }
}

bool ThreadGroup::complete(std::uint64_t round) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return is_complete(round) || error_ != nullptr;
}

void ThreadGroup::leave(int rank) {
  const std::lock_guard<std::mutex> lock(mutex_);
  left_[static_cast<std::size_t>(rank)] = true;
  if (error_ == nullptr && !open_.empty()) {
    check_absent(open_.front(), rank);
  }
}

void ThreadGroup::fail(std::exception_ptr error) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  fail_locked(std::move(error));
}

void ThreadGroup::rethrow() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (error_ != nullptr) {
    std::rethrow_exception(error_);
  }
}

ThreadGroup::Round& ThreadGroup::round_at(std::uint64_t number) {
  while (first_open_ + open_.size() <= number) {
    Round round;
    round.calls.resize(static_cast<std::size_t>(size_));
    round.joined.resize(static_cast<std::size_t>(size_));
    open_.push_back(std::move(round));
  }
  return open_[number - first_open_];
}

void ThreadGroup::check_match(const Round& round, int rank, const Collective& call) {
  for (int other = 0; other < size_; ++other) {
    const auto index = static_cast<std::size_t>(other);
    if (round.joined[index] && !agree(summarise(round.calls[index], other, rank, size_),
                                      summarise(call, rank, other, size_))) {
      mismatch(name_of(other) + " calls " + describe_with_site(round.calls[index]) + " but " +
               name_of(rank) + " calls " + describe_with_site(call));
    }
  }
}

void ThreadGroup::check_absent(const Round& round, int absent) {
  const auto index = static_cast<std::size_t>(absent);
  if (!left_[index] || round.joined[index]) {
    return;
  }
  for (int other = 0; other < size_; ++other) {
    const auto waiting = static_cast<std::size_t>(other);
    if (round.joined[waiting]) {
      mismatch(name_of(other) + " calls " + describe_with_site(round.calls[waiting]) + " but " +
               name_of(absent) + " has ended without it");
    }
  }
}

void ThreadGroup::mismatch(const std::string& message) {
  const Error error("the ranks' collectives do not match: " + message);
  fail_locked(std::make_exception_ptr(error));
  throw error;
}

void ThreadGroup::fail_locked(std::exception_ptr error) {
  if (error_ == nullptr) {
    error_ = std::move(error);
  }
  changed_.notify_all();
}

}  // namespace rallrec::distributed
