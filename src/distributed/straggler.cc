#include "distributed/straggler.h"

#include <algorithm>
#include <cstdio>

namespace rallrec::distributed {
namespace {

// A rank that is twice as slow as the others makes them wait half of the time.
constexpr double kOthersWait = 0.5;
constexpr double kHardlyWaits = 0.2;

bool computes(Phase phase) {
  return phase == Phase::kForward || phase == Phase::kBackward || phase == Phase::kReduce ||
         phase == Phase::kUpdate || phase == Phase::kEvaluation;
}

}  // namespace

std::string StragglerWatch::look(const std::vector<RankView>& ranks, WatchClock::time_point now) {
  const auto restart = [&] {
    begin_ = now;
    waited_.clear();
    for (const RankView& rank : ranks) {
      waited_.push_back(rank.report.waited_nanoseconds);
    }
  };
  const bool all_compute = std::all_of(ranks.begin(), ranks.end(), [](const RankView& rank) {
    return !rank.ended && computes(rank.report.event.phase);
  });
  if (waited_.empty() || !all_compute) {
    restart();
    return "";
  }
  const std::chrono::duration<double> spent = now - begin_;
  if (spent < window_) {
    return "";
  }
  std::vector<double> shares;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const auto waited =
        static_cast<double>(ranks[rank].report.waited_nanoseconds - waited_[rank]) * 1e-9;
    shares.push_back(std::min(1.0, waited / spent.count()));  // reports are of slightly other times
  }
  restart();
  return tell(ranks, shares, spent.count());
}

std::string StragglerWatch::tell(const std::vector<RankView>& ranks,
                                 const std::vector<double>& shares, double seconds) {
  const auto least = std::min_element(shares.begin(), shares.end());
  const auto rank = least - shares.begin();
  std::vector<double> others(shares);
  others.erase(others.begin() + rank);
  std::nth_element(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(others.size() / 2),
                   others.end());
  const double median = others[others.size() / 2];
  if (*least > kHardlyWaits || median < kOthersWait || named_ == rank) {
    return "";
  }
  named_ = static_cast<int>(rank);
  char figures[120];
  std::snprintf(figures, sizeof figures,
                "the others have waited %.0f %% of the last %.0f s in collectives, it %.0f %%",
                100.0 * median, seconds, 100.0 * *least);
  return rank_text(ranks, static_cast<std::size_t>(rank)) + " is slow: " + figures +
         "; is its machine shared, throttled or swapping?";
}

}  // namespace rallrec::distributed
