#include "distributed/mpi_communicator.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <tuple>

#include "distributed/mpi_runtime.h"
#include "tests/distributed/communicator_contract.h"

namespace rallrec::distributed {
namespace {

// The second size cuts most messages into parts.
class MpiContract : public ::testing::TestWithParam<std::tuple<std::size_t, ContractCase>> {};

TEST_P(MpiContract, Holds) {
  const auto group = make_mpi_communicator(std::get<0>(GetParam()));
  std::get<1>(GetParam()).run(*group);
}

INSTANTIATE_TEST_SUITE_P(All, MpiContract,
                         ::testing::Combine(::testing::Values(std::size_t{1} << 30,
                                                              std::size_t{999}),
                                            ::testing::ValuesIn(contract_cases())),
                         [](const auto& info) {
                           return std::get<1>(info.param).name + "_" +
                                  std::to_string(std::get<0>(info.param));
                         });

TEST(MpiCommunicator, HasAsManyRanksAsWereStarted) {
  const char* expected = std::getenv("RALLREC_EXPECT_RANKS");
  ASSERT_NE(expected, nullptr) << "run under mpirun by ctest";
  const auto group = make_mpi_communicator();
  EXPECT_EQ(std::to_string(group->size()), expected);
}

}  // namespace
}  // namespace rallrec::distributed

int main(int argc, char** argv) {
  const rallrec::distributed::MpiRuntime runtime;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
