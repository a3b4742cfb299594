#include "distributed/thread_communicator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <tuple>

#include "core/error.h"
#include "distributed/joint_error.h"
#include "distributed/local_communicator.h"
#include "distributed/peer_lost.h"
#include "tests/distributed/communicator_contract.h"

namespace rallrec::distributed {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LocalContract : public ::testing::TestWithParam<ContractCase> {};

TEST_P(LocalContract, Holds) {
  LocalCommunicator communicator;
  GetParam().run(communicator);
}

INSTANTIATE_TEST_SUITE_P(All, LocalContract, ::testing::ValuesIn(contract_cases()),
                         [](const auto& info) { return info.param.name; });

class ThreadContract : public ::testing::TestWithParam<std::tuple<int, ContractCase>> {};

TEST_P(ThreadContract, Holds) {
  std::atomic<int> ended{0};
  run_thread_ranks(std::get<0>(GetParam()), [&](Communicator& group) {
    std::get<1>(GetParam()).run(group);
    ++ended;
  });
  EXPECT_EQ(ended, std::get<0>(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(All, ThreadContract,
                         ::testing::Combine(::testing::Values(1, 2, 3, 4),
                                            ::testing::ValuesIn(contract_cases())),
                         [](const auto& info) {
                           return std::get<1>(info.param).name + "_" +
                                  std::to_string(std::get<0>(info.param));
                         });

std::string error_of(int ranks, const std::function<void(Communicator&)>& body) {
  try {
    run_thread_ranks(ranks, body);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(LocalCommunicator, ThrowsAfterAbort) {
  LocalCommunicator communicator;
  communicator.abort();
  EXPECT_THROW(communicator.barrier(), PeerLost);
}

TEST(ThreadRanks, TheFirstErrorReleasesAllAndIsRethrown) {
  std::atomic<int> released{0};
  const auto body = [&](Communicator& group) {
    if (group.rank() == 1) {
      throw_bad_data("scores.jsonl:7", "made up");
    }
    std::int64_t data = 0;
    EXPECT_THROW(group.all_reduce(&data, 1, DType::kInt64), PeerLost);
    EXPECT_THROW(group.barrier(), PeerLost);
    ++released;
    group.barrier();
  };
  EXPECT_EQ(error_of(4, body), "scores.jsonl:7: made up");
  EXPECT_EQ(released, 3);
}

TEST(ThreadRanks, AbortReleasesAll) {
  const auto body = [&](Communicator& group) {
    if (group.rank() == 0) {
      group.abort();
    } else {
      EXPECT_THROW(group.barrier(), PeerLost);
    }
  };
  EXPECT_THAT(error_of(3, body), HasSubstr("rank 0 aborted"));
}

TEST(ThreadRanks, ReportsBothSidesOfAMismatch) {
  std::vector<std::int64_t> data(8);
  std::vector<std::int64_t> output(16);
  const auto mismatch = [](const std::function<void(Communicator&)>& rank0,
                           const std::function<void(Communicator&)>& rank1) {
    return error_of(2, [&](Communicator& group) { (group.rank() == 0 ? rank0 : rank1)(group); });
  };
  const auto reduce = [](std::size_t count, DType dtype, ReduceOp op) {
    return [=](Communicator& group) {
      std::vector<double> own(16);
      group.all_reduce(own.data(), count, dtype, op);
    };
  };
  const auto sum2 = reduce(2, DType::kInt64, ReduceOp::kSum);
  EXPECT_THAT(mismatch(sum2, reduce(3, DType::kInt64, ReduceOp::kSum)),
              AllOf(HasSubstr("rank 0 calls all_reduce(sum, 2 x int64)"),
                    HasSubstr("rank 1 calls all_reduce(sum, 3 x int64)")));
  EXPECT_THAT(mismatch(sum2, reduce(2, DType::kFloat64, ReduceOp::kSum)), HasSubstr("2 x float64"));
  EXPECT_THAT(mismatch(sum2, reduce(2, DType::kInt64, ReduceOp::kMax)),
              HasSubstr("all_reduce(max, 2 x int64)"));
  EXPECT_THAT(mismatch(sum2, [](Communicator& group) { group.barrier(); }),
              AllOf(HasSubstr("all_reduce"), HasSubstr("calls barrier")));
  const auto broadcast = [](int root) {
    return [root](Communicator& group) {
      std::int32_t own = 0;
      group.broadcast(&own, 1, DType::kInt32, root);
    };
  };
  EXPECT_THAT(mismatch(broadcast(0), broadcast(1)),
              AllOf(HasSubstr("root 0"), HasSubstr("root 1")));
}

// "thread_communicator_test.cc:123" of the line after the one that calls this.
std::string next_line(int line = __builtin_LINE()) {
  return "thread_communicator_test.cc:" + std::to_string(line + 1);
}

TEST(ThreadRanks, ReportsWhereBothSidesCalled) {
  std::string first;
  std::string second;
  std::string third;
  const auto body = [&](Communicator& group) {
    std::int32_t flag = 0;
    group.barrier();
    if (group.rank() == 0) {
      first = next_line();
      run_on_rank_0(group, [] {});
    } else {
      second = next_line();
      Handle started = group.all_reduce_async(&flag, 1, DType::kInt32, ReduceOp::kMax);
      started.wait();
    }
  };
  EXPECT_THAT(error_of(2, body), AllOf(HasSubstr("all_gather(1 x int32) at " + first),
                                       HasSubstr("all_reduce(max, 1 x int32) at " + second)));
  const auto skips = [&](Communicator& group) {
    if (group.rank() == 0) {
      third = next_line();
      group.barrier();
    }
  };
  EXPECT_THAT(error_of(2, skips), HasSubstr("rank 0 calls barrier at " + third));
}

TEST(ThreadRanks, ReportsUnequalAllToAllCounts) {
  EXPECT_THAT(error_of(2,
                       [](Communicator& group) {
                         std::vector<std::int32_t> data(8);
                         std::vector<std::int32_t> output(8);
                         // Rank 0 sends 2 to rank 1, which expects 1.
                         const std::vector<std::size_t> ones = {1, 1};
                         const std::vector<std::size_t> two = {1, 2};
                         group.all_to_all_v(data.data(), group.rank() == 0 ? two : ones,
                                            output.data(), ones, DType::kInt32);
                       }),
              AllOf(HasSubstr("all_to_all_v([1,2] to [1,1]"), HasSubstr("do not match")));
}

TEST(ThreadRanks, ReportsARankThatSkipsACollective) {
  EXPECT_THAT(error_of(3,
                       [](Communicator& group) {
                         group.barrier();
                         if (group.rank() != 2) {
                           std::int32_t flag = 0;
                           group.all_reduce(&flag, 1, DType::kInt32, ReduceOp::kMax);
                         }
                       }),
              AllOf(HasSubstr("calls all_reduce(max, 1 x int32)"),
                    HasSubstr("rank 2 has ended without it")));
}

TEST(ThreadRanks, ReportsARankThatSkipsOneOfSeveralUnderWay) {
  EXPECT_THAT(error_of(2,
                       [](Communicator& group) {
                         std::int32_t flag = 0;
                         Handle first;
                         if (group.rank() == 0) {
                           first = group.all_reduce_async(&flag, 1, DType::kInt32, ReduceOp::kMax);
                         }
                         Handle second = group.barrier_async();
                         second.wait();
                       }),
              AllOf(HasSubstr("rank 0 calls all_reduce(max, 1 x int32)"),
                    HasSubstr("rank 1 calls barrier")));
}

}  // namespace
}  // namespace rallrec::distributed
