#include "logging/progress.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "logging/log.h"

namespace rallrec::logging {
namespace {

constexpr auto kBarInterval = std::chrono::milliseconds(200);
constexpr int kBarWidth = 24;

std::chrono::steady_clock::duration interval(bool terminal) {
  using Duration = std::chrono::steady_clock::duration;
  return terminal ? Duration(kBarInterval)
                  : std::chrono::duration_cast<Duration>(
                        std::chrono::duration<double>(log_options().progress_seconds));
}

std::string bar_text(std::int64_t done, std::int64_t total) {
  if (total <= 0) {
    return "";
  }
  const auto full =
      static_cast<std::size_t>(std::clamp<std::int64_t>(done * kBarWidth / total, 0, kBarWidth));
  return "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "] ";
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) {
    return fmt::format("{} s", whole);
  }
  if (whole < 3600) {
    return fmt::format("{} min {} s", whole / 60, whole % 60);
  }
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string progress_text(const std::string& what, const std::string& unit, std::int64_t done,
                          std::int64_t total, std::int64_t fresh, double seconds,
                          const std::string& note) {
  std::string text = total > 0 ? fmt::format("{} {}/{} {}", what, done, total, unit)
                               : fmt::format("{} {} {}", what, done, unit);
  if (fresh > 0 && seconds > 0.0) {
    const double rate = static_cast<double>(fresh) / seconds;
    text += fmt::format(", {:.3g}/s", rate);
    if (total > done) {
      text += fmt::format(", {} left", duration_text(static_cast<double>(total - done) / rate));
    }
  }
  return note.empty() ? text : text + ", " + note;
}

Progress::Progress(std::string what, std::string unit, std::int64_t total, std::int64_t done)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      done_(done),
      done_before_(done),
      enabled_(log_options().rank == 0 && log_options().console <= spdlog::level::info),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      next_(start_ + interval(terminal_)) {}

Progress::~Progress() {
  if (!shown_) {
    return;
  }
  if (terminal_) {
    std::fputs("\r\033[K", stderr);
    terminal_ = false;
  }
  if (last_line_ != done_) {
    show();
  }
}

void Progress::advance(std::int64_t items, const std::string& note) {
  done_ += items;
  if (!note.empty()) {
    note_ = note;
  }
  const auto now = Clock::now();
  if (!enabled_ || now < next_) {
    return;
  }
  next_ = now + interval(terminal_);
  shown_ = true;
  show();
}

void Progress::show() {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const std::string text =
      progress_text(what_, unit_, done_, total_, done_ - done_before_, seconds, note_);
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s%s", bar_text(done_, total_).c_str(), text.c_str());
    std::fflush(stderr);
  } else {
    spdlog::info("{}", text);
    last_line_ = done_;
  }
}

}  // namespace rallrec::logging
