// A job of processes under a watchdog. The same with the program itself:
// tests/commands/watchdog_test.cc.
#include <gmock/gmock.h>

#include <filesystem>
#include <string>

#include "tests/distributed/timed_command.h"
#include "tests/support/temporary_folder.h"

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using rallrec::testing::run_timed;
using rallrec::testing::TimedOutcome;

class WatchedJob : public ::testing::Test {
 protected:
  // With RALLREC_TEST_STOP = `stop`.
  TimedOutcome run(int ranks, const std::string& stop, const std::string& arguments) const {
    return run_timed("RALLREC_TEST_STOP=" + stop + " timeout 90 " RALLREC_MPIEXEC " -n " +
                     std::to_string(ranks) +
                     " --oversubscribe --bind-to none " RALLREC_WATCHED_RANK " " + folder_.path() +
                     " " + arguments + " 2>&1");
  }
  bool has_record(int rank) const {
    return std::filesystem::exists(folder_.file("flight/rank" + std::to_string(rank) + ".jsonl"));
  }

  rallrec::testing::TemporaryFolder folder_;
};

TEST_F(WatchedJob, ARankThatStopsIsNamed) {
  const TimedOutcome result = run(3, "2:reduce:60", "3 100000 4");
  EXPECT_EQ(result.code, 71) << result.output;
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("rank 2 on "), HasSubstr("has been silent for 3."),
                    HasSubstr("rank 0 on "), HasSubstr("waits in "), HasSubstr("made_up, step "),
                    HasSubstr("rallrec doctor --flight " + folder_.file("flight"))));
  EXPECT_TRUE(has_record(0));
  EXPECT_TRUE(has_record(1));
  EXPECT_FALSE(has_record(2));
}

TEST_F(WatchedJob, TheDeputyNamesTheObserver) {
  const TimedOutcome result = run(3, "0:checkpoint:60", "3 100000 4");
  EXPECT_EQ(result.code, 71) << result.output;
  EXPECT_THAT(result.output, AllOf(HasSubstr("rank 0 on "), HasSubstr("has been silent for 3."),
                                   HasSubstr("rank 1 on "), HasSubstr("waits in ")));
  EXPECT_FALSE(has_record(0));
  EXPECT_TRUE(has_record(1));
  EXPECT_TRUE(has_record(2));
}

TEST_F(WatchedJob, ASlowRankIsNamedAndTheJobComesToItsEnd) {
  const TimedOutcome result = run(2, "", "3 25 40");
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("warning: rank 1 on "), HasSubstr("is slow"), HasSubstr("finished")));
  EXPECT_FALSE(has_record(0));
}

// Before there is a watchdog.
TEST_F(WatchedJob, ARankThatNeverStartsIsNoSilentWait) {
  const TimedOutcome result = run_timed(
      "RALLREC_START_LIMIT=3 timeout 60 " RALLREC_MPIEXEC
      " -n 2 --oversubscribe --bind-to none "
      "sh -c 'test $OMPI_COMM_WORLD_RANK = 0 || kill -STOP $$; exec " RALLREC_WATCHED_RANK " " +
      folder_.path() + " 3 3 4' 2>&1");
  EXPECT_EQ(result.code, 71) << result.output;
  EXPECT_THAT(result.output, AllOf(HasSubstr("rallrec (rank 0): on "),
                                   HasSubstr("has not ended for 3 s"), HasSubstr("MPI_Init")));
  EXPECT_LT(result.seconds, 20.0);
}

TEST_F(WatchedJob, WithTimeOutZeroNobodyLooks) {
  const TimedOutcome result = run(2, "", "0 3 4");
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, Not(HasSubstr("warning")));
}

}  // namespace
