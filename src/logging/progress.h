#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace rallrec::logging {

// Progress of a long loop: on rank 0 a bar on stderr where it is a terminal, otherwise a log line
// every LogOptions::progress_seconds with rate and time left; nothing on other ranks or with
// --quiet. Cheap enough to call for every item; use it from one thread.
//
//   logging::Progress progress("tune", "steps", total);
//   for (…) { …; progress.advance(1); }
class Progress {
 public:
  // `what` names the work, `unit` what is counted (plural). `total` 0 = not known. `done` items
  // were finished before (a resumed run): they are shown but not counted in the rate.
  Progress(std::string what, std::string unit, std::int64_t total, std::int64_t done = 0);
  // Removes the bar. The last state is logged where any bar or an earlier state was shown.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `note` is shown at the end of the line ("loss 0.43"); empty keeps the one before.
  void advance(std::int64_t items, const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;

  void show();

  std::string what_;
  std::string unit_;
  std::int64_t total_;
  std::int64_t done_;
  std::int64_t done_before_;
  std::string note_;
  bool enabled_;
  bool terminal_;
  bool shown_ = false;
  std::int64_t last_line_ = -1;  // `done_` in the last log line
  Clock::time_point start_;
  Clock::time_point next_;
};

// "48 s", "3 min 9 s", "2 h 5 min".
std::string duration_text(double seconds);

// "tune 120/300 steps, 2.31/s, 1 min 18 s left, loss 0.43": the text of a line or bar. `total` 0
// leaves out what depends on it; `seconds` is the time that `fresh` of the `done` items took.
std::string progress_text(const std::string& what, const std::string& unit, std::int64_t done,
                          std::int64_t total, std::int64_t fresh, double seconds,
                          const std::string& note);

}  // namespace rallrec::logging
