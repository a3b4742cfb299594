#include "distributed/joint_error.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "core/error.h"
#include "distributed/thread_communicator.h"
#include "tests/support/expect_error.h"

namespace rallrec::distributed {
namespace {

using testing::expect_error;

TEST(RunJointly, EveryRankThrowsTheErrorOfTheLowestRank) {
  run_thread_ranks(4, [](Communicator& group) {
    expect_error(ExitCode::kBadData, "file:1: made up", [&] {
      run_jointly(group, [&] {
        if (group.rank() == 3) {
          throw_usage("later");
        }
        if (group.rank() > 0) {
          throw_bad_data("file:" + std::to_string(group.rank()), "made up");
        }
      });
    });
    // The group goes on working.
    group.barrier();
  });
}

TEST(RunJointly, ForeignErrorsAreInternal) {
  run_thread_ranks(2, [](Communicator& group) {
    expect_error(ExitCode::kInternal, "foreign", [&] {
      run_jointly(group, [&] {
        if (group.rank() == 1) {
          throw std::runtime_error("foreign");
        }
      });
    });
  });
}

TEST(RunJointly, RunsOnAllRanks) {
  run_thread_ranks(3, [](Communicator& group) {
    std::int32_t runs = 0;
    run_jointly(group, [&] { ++runs; });
    group.all_reduce(&runs, 1, DType::kInt32);
    EXPECT_EQ(runs, 3);
  });
}

}  // namespace
}  // namespace rallrec::distributed
