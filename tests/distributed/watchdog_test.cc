#include "distributed/watchdog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "distributed/flight_marks.h"
#include "distributed/peer_lost.h"
#include "distributed/thread_communicator.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::distributed {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

WatchdogOptions options_with(double seconds, std::vector<std::string>* warnings = nullptr) {
  return {{seconds, seconds, seconds, seconds}, [warnings](const std::string& text) {
            if (warnings != nullptr) {
              warnings->push_back(text);
            }
          }};
}

TEST(Watchdog, NamesTheRankThatDoesNotComeAndFreesTheOthers) {
  const rallrec::testing::TemporaryFolder folder;
  std::string text;
  const auto job = [&](Communicator& group) {
    FlightRecord record;
    const FlightOfThread of_thread(record);
    keep_flight_in(folder.path());
    mark_stage("tune");
    mark_step(4);
    Watchdog watchdog(group, record, options_with(1.0));
    mark_phase(Phase::kBackward, 2);
    group.barrier();
    if (group.rank() == 1) {
      std::this_thread::sleep_for(milliseconds(3500));
    }
    EXPECT_THROW(group.barrier(), PeerLost);
    const auto verdict = watchdog.verdict();
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->code, ExitCode::kHang);
    if (group.rank() == 0) {
      text = verdict->text;
    }
  };
  // The group's error is the first that any rank met.
  EXPECT_THROW(run_thread_ranks(3, job), PeerLost);
  EXPECT_THAT(text, AllOf(HasSubstr("rank 1 on "), HasSubstr("has not come to collective 6"),
                          HasSubstr("tune, step 4, backward, layer 2"), HasSubstr("rank 2 on "),
                          HasSubstr("waits in barrier")));
  for (int rank = 0; rank < 3; ++rank) {
    const std::string file = folder.get("flight/rank" + std::to_string(rank) + ".jsonl");
    EXPECT_THAT(file, AllOf(HasSubstr("\"rank\": " + std::to_string(rank)),
                            HasSubstr("\"phase\": \"backward\", \"step\": 4, \"layer\": 2")));
  }
}

// H4 in small.
TEST(Watchdog, ASlowRankIsNamedAndNotAccused) {
  std::vector<std::string> warnings;
  run_thread_ranks(3, [&](Communicator& group) {
    FlightRecord record;
    const FlightOfThread of_thread(record);
    mark_stage("tune");
    Watchdog watchdog(group, record, options_with(1.0, group.rank() == 0 ? &warnings : nullptr));
    for (int step = 1; step <= 60; ++step) {
      mark_step(step);
      mark_phase(Phase::kForward);
      std::this_thread::sleep_for(milliseconds(group.rank() == 1 ? 75 : 15));
      group.barrier();
    }
    EXPECT_FALSE(watchdog.verdict());
  });
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], AllOf(HasSubstr("rank 1 on "), HasSubstr("is slow")));
}

TEST(WatchChannel, WhoDoesNotKnowTheTokenIsTurnedAway) {
  WatchHub hub("secret", 2);
  std::vector<RankView> ranks(2);
  ranks[1].connected = false;
  std::atomic<bool> done{false};
  std::thread other([&] {
    const std::string report(1 + sizeof(RankReport), kReportMessage);
    WatchLink stranger({"127.0.0.1"}, hub.port(), "guess", 1);
    stranger.send(report);
    std::this_thread::sleep_for(milliseconds(300));
    EXPECT_FALSE(stranger.receive());
    done = true;
    WatchLink friendly({"127.0.0.1"}, hub.port(), "secret", 1);
    EXPECT_TRUE(friendly.send(report));
    std::this_thread::sleep_for(milliseconds(500));
    EXPECT_EQ(friendly.receive().value_or(""), std::string(1, kHeardMessage));
  });
  for (int i = 0; i < 100 && !ranks[1].connected; ++i) {
    hub.serve(ranks, WatchClock::now());
    EXPECT_TRUE(done || !ranks[1].connected);
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_TRUE(ranks[1].connected);
  other.join();
  hub.serve(ranks, WatchClock::now());
  EXPECT_FALSE(ranks[1].connected);
}

}  // namespace
}  // namespace rallrec::distributed
