// The contract of every communicator, over NCCL.
#include <gtest/gtest.h>

#include <atomic>
#include <tuple>

#include "tests/distributed/communicator_contract.h"
#include "tests/distributed/nccl_ranks.h"
#include "tests/distributed/staged_communicator.h"

namespace rallrec::distributed {
namespace {

class NcclContract : public ::testing::TestWithParam<std::tuple<int, ContractCase>> {};

TEST_P(NcclContract, Holds) {
  const int ranks = std::get<0>(GetParam());
  if (!enough_gpus(ranks)) {
    GTEST_SKIP() << "fewer than " << ranks << " GPUs";
  }
  std::atomic<int> ended{0};
  run_nccl_ranks(ranks, kPatient, [&](NcclRank& rank) {
    const auto staged = make_staged_communicator(*rank.nccl);
    std::get<1>(GetParam()).run(*staged);
    ++ended;
  });
  EXPECT_EQ(ended, ranks);
}

INSTANTIATE_TEST_SUITE_P(All, NcclContract,
                         ::testing::Combine(::testing::Values(1, 2, 3),
                                            ::testing::ValuesIn(contract_cases())),
                         [](const auto& info) {
                           return std::get<1>(info.param).name + "_" +
                                  std::to_string(std::get<0>(info.param));
                         });

}  // namespace
}  // namespace rallrec::distributed
