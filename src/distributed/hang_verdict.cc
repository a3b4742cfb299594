#include "distributed/hang_verdict.h"

#include <algorithm>
#include <cstdio>

namespace rallrec::distributed {
namespace {

// Reports come every second. A launcher that ends the job for a dead rank has done so by then.
constexpr std::chrono::seconds kUntilSilent{3};
constexpr std::chrono::seconds kUntilLost{8};
constexpr std::size_t kMostNamed = 4;

double seconds_between(WatchClock::time_point from, WatchClock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

std::vector<std::size_t> running(const std::vector<RankView>& ranks) {
  std::vector<std::size_t> list;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    if (!ranks[rank].ended) {
      list.push_back(rank);
    }
  }
  return list;
}

bool waits(const RankView& rank) { return rank.report.event.kind == FlightKind::kWait; }

std::string last_seen(const RankView& rank) {
  return "last seen in " + place_text(rank.report.event) + ", " +
         (waits(rank) ? "waiting in " : "after ") + call_text(rank.report.event.call);
}

// "; rank 0 on node1 waits in …, rank 2 …": of those that are not `guilty`.
std::string waiting_text(const std::vector<RankView>& ranks,
                         const std::vector<std::size_t>& guilty) {
  std::string text;
  std::size_t named = 0;
  for (const std::size_t rank : running(ranks)) {
    const bool is_guilty = std::find(guilty.begin(), guilty.end(), rank) != guilty.end();
    if (is_guilty || !waits(ranks[rank])) {
      continue;
    }
    if (++named > kMostNamed) {
      return text + ", and others wait";
    }
    const FlightEvent& event = ranks[rank].report.event;
    text += (named == 1 ? "; " : ", ") + rank_text(ranks, rank) + " waits in " +
            call_text(event.call) + " (" + place_text(event) + ")";
  }
  return text;
}

template <typename Describe>
std::string each(const std::vector<std::size_t>& guilty, Describe&& describe) {
  std::string text;
  for (std::size_t i = 0; i < std::min(guilty.size(), kMostNamed); ++i) {
    text += (i == 0 ? "" : "; ") + describe(guilty[i]);
  }
  return guilty.size() > kMostNamed
             ? text + "; and " + std::to_string(guilty.size() - kMostNamed) + " more"
             : text;
}

std::optional<Verdict> lost(const std::vector<RankView>& ranks, WatchClock::time_point now) {
  std::vector<std::size_t> guilty;
  for (const std::size_t rank : running(ranks)) {
    if (!ranks[rank].connected && now - ranks[rank].heard > kUntilLost) {
      guilty.push_back(rank);
    }
  }
  if (guilty.empty()) {
    return std::nullopt;
  }
  const std::string who = each(guilty, [&](std::size_t rank) {
    return rank_text(ranks, rank) + " has ended or is cut off, without a word, " +
           last_seen(ranks[rank]);
  });
  return Verdict{ExitCode::kPeerLost, who + waiting_text(ranks, guilty)};
}

std::vector<std::size_t> silent_for(const std::vector<RankView>& ranks, WatchClock::time_point now,
                                    double seconds) {
  std::vector<std::size_t> guilty;
  for (const std::size_t rank : running(ranks)) {
    if (seconds_between(ranks[rank].heard, now) > seconds) {
      guilty.push_back(rank);
    }
  }
  return guilty;
}

Verdict silence(const std::vector<RankView>& ranks, const std::vector<std::size_t>& guilty,
                WatchClock::time_point now) {
  const std::string who = each(guilty, [&](std::size_t rank) {
    return rank_text(ranks, rank) + " has been silent for " +
           seconds_text(seconds_between(ranks[rank].heard, now)) +
           " (stopped, or its host does not answer), " + last_seen(ranks[rank]);
  });
  return {ExitCode::kHang, who + waiting_text(ranks, guilty)};
}

// All ranks talk, and none goes on.
std::string stuck_text(const std::vector<RankView>& ranks) {
  const std::vector<std::size_t> all = running(ranks);
  std::vector<std::size_t> guilty;
  std::uint64_t most = 0;
  for (const std::size_t rank : all) {
    most = std::max(most, ranks[rank].report.calls);
  }
  for (const std::size_t rank : all) {
    if (ranks[rank].report.calls < most) {
      guilty.push_back(rank);
    }
  }
  if (!guilty.empty()) {
    return each(guilty,
                [&](std::size_t rank) {
                  return rank_text(ranks, rank) + " has not come to collective " +
                         std::to_string(ranks[rank].report.calls + 1) + ", " +
                         last_seen(ranks[rank]);
                }) +
           waiting_text(ranks, guilty);
  }
  std::copy_if(all.begin(), all.end(), std::back_inserter(guilty),
               [&](std::size_t rank) { return !waits(ranks[rank]); });
  if (guilty.empty()) {
    return "all ranks wait in the same collective, so it is the network or MPI that stands still" +
           waiting_text(ranks, {});
  }
  return each(guilty,
              [&](std::size_t rank) {
                return rank_text(ranks, rank) + " is busy outside of collectives, " +
                       last_seen(ranks[rank]);
              }) +
         waiting_text(ranks, guilty);
}

}  // namespace

double WatchLimits::of(Phase phase) const {
  switch (phase) {
    case Phase::kLoad:
      return load;
    case Phase::kData:
    case Phase::kPrompts:
      return prompts;
    case Phase::kCheckpoint:
      return checkpoint;
    default:
      return timeout;
  }
}

void RankView::take(const RankReport& fresh, WatchClock::time_point now) {
  if (fresh.event.number != report.event.number || fresh.beats != report.beats) {
    changed = now;
  }
  report = fresh;
  heard = now;
  connected = true;
}

std::string rank_text(const std::vector<RankView>& ranks, std::size_t rank) {
  return "rank " + std::to_string(rank) + " on " + ranks[rank].host;
}

std::optional<Verdict> judge(const std::vector<RankView>& ranks, const WatchLimits& limits,
                             WatchClock::time_point now) {
  const std::vector<std::size_t> all = running(ranks);
  if (all.empty()) {
    return std::nullopt;
  }
  if (std::optional<Verdict> verdict = lost(ranks, now)) {
    return verdict;
  }
  if (!silent_for(ranks, now, limits.timeout).empty()) {
    const double seconds =
        std::min(limits.timeout, std::chrono::duration<double>(kUntilSilent).count());
    return silence(ranks, silent_for(ranks, now, seconds), now);
  }
  double limit = 0.0;
  WatchClock::time_point changed = WatchClock::time_point::min();
  for (const std::size_t rank : all) {
    limit = std::max(limit, limits.of(ranks[rank].report.event.phase));
    changed = std::max(changed, ranks[rank].changed);
  }
  if (seconds_between(changed, now) <= limit) {
    return std::nullopt;
  }
  return Verdict{ExitCode::kHang, "no rank has made progress for " +
                                      seconds_text(seconds_between(changed, now)) + ": " +
                                      stuck_text(ranks)};
}

}  // namespace rallrec::distributed
