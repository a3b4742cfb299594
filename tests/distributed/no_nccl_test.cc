#include <gtest/gtest.h>

#include "distributed/local_communicator.h"
#include "distributed/nccl_communicator.h"
#include "tests/support/expect_error.h"

namespace rallrec::distributed {
namespace {

TEST(NoNccl, SaysHowToBuildWithIt) {
  LocalCommunicator local;
  const auto rendezvous = make_rendezvous(local);
  EXPECT_FALSE(has_nccl());
  rallrec::testing::expect_error(ExitCode::kUsage, "cmake --preset cuda",
                                 [&] { make_nccl_communicator(*rendezvous, {}); });
}

}  // namespace
}  // namespace rallrec::distributed
