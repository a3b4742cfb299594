#include "distributed/hang_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "distributed/straggler.h"

namespace rallrec::distributed {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class HangVerdict : public ::testing::Test {
 protected:
  HangVerdict() : ranks_(3) {
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
      ranks_[rank].host = "node" + std::to_string(rank);
      report(rank, FlightKind::kWait, 7, start_);
    }
  }

  void report(std::size_t rank, FlightKind kind, std::uint64_t calls, WatchClock::time_point now) {
    RankReport report;
    report.event = ranks_[rank].report.event;
    ++report.event.number;
    report.event.kind = kind;
    report.event.phase = phase_;
    report.event.step = 12;
    report.event.layer = 3;
    report.event.call = {calls, CollectiveKind::kAllGatherV, DType::kUInt8, 4096};
    std::string("tune").copy(report.event.stage.data(), 15);
    report.calls = calls;
    ranks_[rank].take(report, now);
  }
  // All are heard, none goes on.
  void repeat(WatchClock::time_point now) {
    for (RankView& rank : ranks_) {
      rank.take(rank.report, now);
    }
  }
  std::optional<Verdict> judge_after(milliseconds time) const {
    return judge(ranks_, limits_, start_ + time);
  }

  const WatchClock::time_point start_ = WatchClock::now();
  WatchLimits limits_{10.0, 100.0, 100.0, 50.0};
  Phase phase_ = Phase::kBackward;
  std::vector<RankView> ranks_;
};

TEST_F(HangVerdict, NobodyIsAccusedBeforeTheTime) {
  repeat(start_ + seconds(9));
  EXPECT_FALSE(judge_after(milliseconds(9900)));
}

TEST_F(HangVerdict, NamesTheSilentRankAndWhoWaits) {
  report(1, FlightKind::kCall, 6, start_);
  for (const std::size_t rank : {0, 2}) {
    ranks_[rank].take(ranks_[rank].report, start_ + seconds(10));
  }
  const auto verdict = judge_after(milliseconds(10100));
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->code, ExitCode::kHang);
  EXPECT_THAT(
      verdict->text,
      AllOf(HasSubstr("rank 1 on node1 has been silent for 10.1 s"),
            HasSubstr("last seen in tune, step 12, backward, layer 3"),
            HasSubstr("rank 0 on node0 waits in all_gather_v of 4096 x uint8 (collective 7)"),
            HasSubstr("rank 2 on node2 waits"), Not(HasSubstr("rank 1 on node1 waits"))));
}

TEST_F(HangVerdict, NamesTheRankThatDidNotCome) {
  report(2, FlightKind::kDone, 6, start_);
  repeat(start_ + seconds(10));
  const auto verdict = judge_after(milliseconds(10100));
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->code, ExitCode::kHang);
  EXPECT_THAT(verdict->text,
              AllOf(HasSubstr("no rank has made progress for 10.1 s: rank 2 on "
                              "node2 has not come to collective 7"),
                    HasSubstr("rank 0 on node0 waits"), HasSubstr("rank 1 on node1 waits")));
}

TEST_F(HangVerdict, NamesTheRankThatIsBusyElsewhere) {
  report(0, FlightKind::kDone, 7, start_);
  repeat(start_ + seconds(10));
  EXPECT_THAT(judge_after(seconds(11))->text,
              HasSubstr("rank 0 on node0 is busy outside of collectives"));
}

TEST_F(HangVerdict, NamesTheNetworkWhereAllWaitForTheSame) {
  repeat(start_ + seconds(10));
  EXPECT_THAT(judge_after(seconds(11))->text, HasSubstr("the network or MPI"));
}

TEST_F(HangVerdict, OneRankThatGoesOnIsProgressForAll) {
  for (int second = 1; second < 100; ++second) {
    repeat(start_ + seconds(second));
    report(1, FlightKind::kDone, 6, start_ + seconds(second));
    EXPECT_FALSE(judge_after(seconds(second)));
  }
}

TEST_F(HangVerdict, LongPhasesHaveTheirOwnLimits) {
  phase_ = Phase::kCheckpoint;
  report(0, FlightKind::kDone, 7, start_);
  repeat(start_ + seconds(49));
  EXPECT_FALSE(judge_after(seconds(49)));
  repeat(start_ + seconds(51));
  EXPECT_TRUE(judge_after(seconds(51)));
  // But a rank that is not heard of at all is no rank at work.
  repeat(start_);
  ranks_[0].heard = ranks_[2].heard = start_ + seconds(11);
  EXPECT_THAT(judge_after(seconds(11))->text, HasSubstr("rank 1 on node1 has been silent"));
}

TEST_F(HangVerdict, ARankWhoseConnectionBrokeOffIsLostUnlessItComesBack) {
  ranks_[1].connected = false;
  for (const std::size_t rank : {0, 2}) {
    ranks_[rank].take(ranks_[rank].report, start_ + seconds(9));
  }
  EXPECT_FALSE(judge_after(seconds(7)));
  const auto verdict = judge_after(seconds(9));
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->code, ExitCode::kPeerLost);
  EXPECT_THAT(verdict->text, HasSubstr("rank 1 on node1 has ended or is cut off"));
  ranks_[1].take(ranks_[1].report, start_ + seconds(9));
  EXPECT_FALSE(judge_after(seconds(9)));
}

TEST_F(HangVerdict, WhoTookLeaveIsNotMissed) {
  for (RankView& rank : ranks_) {
    rank.ended = true;
  }
  EXPECT_FALSE(judge_after(seconds(1000)));
}

TEST_F(HangVerdict, TheStragglerIsNamedOnce) {
  StragglerWatch watch(seconds(4));
  const auto wait_in_all = [&](double share0, double share1, double share2, int second) {
    const double shares[] = {share0, share1, share2};
    for (std::size_t rank = 0; rank < 3; ++rank) {
      ranks_[rank].report.waited_nanoseconds = static_cast<std::int64_t>(shares[rank] * 1e9);
    }
    return watch.look(ranks_, start_ + seconds(second));
  };
  EXPECT_EQ(wait_in_all(0, 0, 0, 0), "");
  EXPECT_EQ(wait_in_all(1.6, 1.6, 0.1, 2), "");
  EXPECT_THAT(wait_in_all(3.2, 3.2, 0.2, 4), AllOf(HasSubstr("rank 2 on node2 is slow"),
                                                   HasSubstr("waited 80 %"), HasSubstr("it 5 %")));
  EXPECT_EQ(wait_in_all(6.4, 6.4, 0.4, 8), "");
  // Now another one; then equals, of whom none is.
  EXPECT_THAT(wait_in_all(6.4, 9.4, 3.4, 12), HasSubstr("rank 0 on node0 is slow"));
  EXPECT_EQ(wait_in_all(7.4, 10.4, 4.4, 16), "");
  phase_ = Phase::kLoad;
  report(1, FlightKind::kDone, 9, start_);
  EXPECT_EQ(wait_in_all(11.4, 10.4, 8.4, 20), "");
}

}  // namespace
}  // namespace rallrec::distributed
