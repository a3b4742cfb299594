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
  const bool computing = std::all_of(ranks.begin(), ranks.end(), [](const RankView& rank) {
    return !rank.ended && computes(rank.report.event.phase);
  });
  waited_.resize(ranks.size());
  if (computing && computing_) {
    spent_ += now - looked_;
  }
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const std::int64_t total = ranks[rank].report.waited_nanoseconds;
    if (computing && computing_) {
      waited_[rank].counted += total - waited_[rank].total;
    }
    waited_[rank].total = total;
  }
  computing_ = computing;
  looked_ = now;
  if (spent_ < window_) {
    return "";
  }
  std::vector<double> shares;
  for (Waited& waited : waited_) {
    // Reports are of slightly other times.
    shares.push_back(std::min(1.0, static_cast<double>(waited.counted) * 1e-9 / spent_.count()));
    waited.counted = 0;
  }
  const double seconds = spent_.count();
  spent_ = {};
  return tell(ranks, shares, seconds);
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
