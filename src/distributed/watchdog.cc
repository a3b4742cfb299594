#include "distributed/watchdog.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "core/host_name.h"
#include "core/parallel_calls.h"
#include "distributed/flight_file.h"

namespace rallrec::distributed {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kBetweenLooks{0.2};
// This process was stopped or starved itself: what it has not heard is no news.
constexpr Seconds kOverslept{2.0};
constexpr Seconds kUntilWritten{1.5};
// Rank 0 tells the user and ends the job meanwhile.
constexpr Seconds kUntilEnded{4.0};
constexpr double kHardLimit = 1.5;

std::string random_token() {
  unsigned char bytes[16] = {};
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    throw_io("getrandom", "reading", errno);
  }
  std::string token;
  for (const unsigned char byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    token += digits;
  }
  return token;
}

Seconds report_period(const WatchLimits& limits) {
  return Seconds(std::clamp(limits.timeout / 10.0, 0.1, 1.0));
}

Seconds straggler_window(const WatchLimits& limits) {
  return Seconds(std::clamp(limits.timeout / 4.0, 2.0, 30.0));
}

std::string verdict_message(const Verdict& verdict) {
  return kVerdictMessage + std::to_string(static_cast<int>(verdict.code)) + " " + verdict.text;
}

Verdict verdict_in(const std::string& message) {
  std::istringstream stream(message.substr(1));
  int code = static_cast<int>(ExitCode::kHang);
  stream >> code;
  stream.get();
  Verdict verdict{static_cast<ExitCode>(code), {}};
  std::getline(stream, verdict.text);
  return verdict;
}

}  // namespace

Watchdog::Watchdog(Communicator& communicator, const FlightRecord& record, WatchdogOptions options)
    : communicator_(communicator),
      record_(record),
      options_(std::move(options)),
      rank_(static_cast<std::size_t>(communicator.rank())),
      stragglers_(straggler_window(options_.limits)) {
  meet(communicator);
  thread_ = std::thread([this] { run(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

// Each rank learns the hosts of all, and the addresses and ports of the observers.
void Watchdog::meet(Communicator& communicator) {
  token_ = broadcast_string(communicator, rank_ == 0 ? random_token() : "", 0);
  std::string mine = host_name() + " 0";
  if (rank_ < kObservers) {
    try {
      hub_ = std::make_unique<WatchHub>(token_, static_cast<std::size_t>(communicator.size()));
      mine = host_name() + " " + std::to_string(hub_->port());
      for (const std::string& address : own_addresses()) {
        mine.append(" ").append(address);
      }
    } catch (const Error& error) {
      options_.warn(std::string("the watchdog has no channel: ") + error.what());
    }
  }
  const WatchClock::time_point now = WatchClock::now();
  for (const std::string& text : all_gather_strings(communicator, mine)) {
    std::istringstream words(text);
    RankView view;
    int port = 0;
    words >> view.host >> port;
    std::vector<std::string> addresses;
    if (view.host == host_name()) {
      addresses.emplace_back("127.0.0.1");
    }
    for (std::string address; words >> address;) {
      addresses.push_back(address);
    }
    if (ranks_.size() < kObservers) {
      links_.emplace_back(std::move(addresses), port, token_, static_cast<int>(rank_));
    }
    view.heard = view.changed = now;
    ranks_.push_back(std::move(view));
  }
  observer_left_.resize(links_.size());
  looked_ = answered_ = now;
}

std::optional<Verdict> Watchdog::verdict() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return verdict_;
}

// Whether the object lives on.
bool Watchdog::pause(Seconds time) {
  std::unique_lock<std::mutex> lock(mutex_);
  return !stop_.wait_for(lock, time, [this] { return stopping_; });
}

void Watchdog::run() {
  try {
    do {
      look();
    } while (pause(kBetweenLooks));
    for (WatchLink& link : links_) {
      link.send(std::string(1, kByeMessage));
    }
    if (hub_ != nullptr) {
      hub_->tell_all(std::string(1, kByeMessage));
    }
  } catch (const std::exception& error) {
    options_.warn(std::string("the watchdog has ended: ") + error.what());
  }
}

void Watchdog::look() {
  const WatchClock::time_point now = WatchClock::now();
  if (now - looked_ > kOverslept) {
    answered_ = now;
    for (RankView& rank : ranks_) {
      rank.heard = rank.changed = now;
    }
  }
  looked_ = now;
  // A new phase is told at once: a rank that stops in it shall be known to have come so far.
  const FlightEvent newest = record_.newest();
  if (now - reported_ >= report_period(options_.limits) ||
      newest.phase != ranks_[rank_].report.event.phase) {
    reported_ = now;
    report(now);
  }
  const std::optional<Verdict> told = hear(now);
  if (rank_ == 0) {
    const std::string slow = stragglers_.look(ranks_, now);
    if (!slow.empty()) {
      options_.warn(slow);
    }
  }
  if (told) {
    obey(*told, false);
  } else if (const std::optional<Verdict> own = conclude(now)) {
    obey(*own, true);
  }
}

void Watchdog::report(WatchClock::time_point now) {
  RankReport mine;
  mine.event = record_.newest();
  mine.calls = record_.calls();
  mine.beats = parallel_calls();
  mine.waited_nanoseconds = record_.waited_nanoseconds();
  ranks_[rank_].take(mine, now);
  std::string message(1 + sizeof(mine), kReportMessage);
  std::memcpy(message.data() + 1, &mine, sizeof(mine));
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (i != rank_ && !observer_left_[i]) {
      links_[i].send(message);
    }
  }
}

std::optional<Verdict> Watchdog::hear(WatchClock::time_point now) {
  if (hub_ != nullptr) {
    hub_->serve(ranks_, now);
  }
  for (std::size_t i = 0; i < links_.size(); ++i) {
    while (const std::optional<std::string> message = links_[i].receive()) {
      answered_ = now;
      if ((*message)[0] == kVerdictMessage) {
        return verdict_in(*message);
      }
      observer_left_[i] = observer_left_[i] || (*message)[0] == kByeMessage;
    }
  }
  return std::nullopt;
}

std::optional<Verdict> Watchdog::conclude(WatchClock::time_point now) const {
  const bool alone =
      std::all_of(observer_left_.begin(), observer_left_.end(), [](bool left) { return left; });
  if (rank_ >= kObservers) {
    if (alone || now - answered_ <= Seconds(kHardLimit * options_.limits.timeout)) {
      return std::nullopt;
    }
    return Verdict{ExitCode::kHang,
                   "neither " + rank_text(ranks_, 0) + " nor " + rank_text(ranks_, 1) +
                       " has answered for " +
                       std::to_string(static_cast<int>(Seconds(now - answered_).count())) +
                       " s, they are stopped or cut off"};
  }
  // While rank 0 talks it is the one to judge.
  const RankView& first = ranks_[0];
  if (rank_ == 1 && !first.ended && first.connected &&
      now - first.heard <= Seconds(options_.limits.timeout)) {
    return std::nullopt;
  }
  return judge(ranks_, options_.limits, now);
}

std::string Watchdog::write_record(const Verdict& verdict) const {
  std::string folder = record_.folder();
  if (folder.empty()) {
    folder = std::filesystem::temp_directory_path().string() + "/rallrec-" + token_.substr(0, 8);
  }
  folder += "/flight";
  try {
    write_flight_file(folder + "/rank" + std::to_string(rank_) + ".jsonl", record_,
                      static_cast<int>(rank_), static_cast<int>(ranks_.size()), token_.substr(0, 8),
                      verdict);
    return "; `rallrec doctor --flight " + folder + "` tells what each rank did before";
  } catch (const Error& error) {
    return std::string("; no flight record: ") + error.what();
  }
}

// `own`: this rank has found it, and the others are still to be told.
void Watchdog::obey(Verdict verdict, bool own) {
  if (own && hub_ != nullptr) {
    hub_->tell_all(verdict_message(verdict));
  }
  verdict.text += write_record(verdict);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    verdict_ = verdict;
  }
  if (own) {
    const WatchClock::time_point latest =
        WatchClock::now() + std::chrono::duration_cast<WatchClock::duration>(kUntilWritten);
    while (hub_ != nullptr && !hub_->all_written() && WatchClock::now() < latest &&
           pause(Seconds(0.05))) {
      hub_->serve(ranks_, WatchClock::now());
    }
  } else {
    for (WatchLink& link : links_) {
      link.send(std::string(1, kWrittenMessage));
    }
    pause(kUntilEnded);
  }
  communicator_.abort();
  if (pause(Seconds(std::min(5.0, 0.5 * options_.limits.timeout)))) {
    end_process(verdict);
  }
}

void Watchdog::end_process(const Verdict& verdict) const {
  std::fprintf(stderr, "rallrec (rank %zu): %s\n", rank_, verdict.text.c_str());
  std::fflush(stderr);
  ::_exit(static_cast<int>(verdict.code));
}

}  // namespace rallrec::distributed
