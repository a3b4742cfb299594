#include "pipeline/experiment/cell_failure.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <new>
#include <stdexcept>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using distributed::Communicator;
using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

TEST(CellFailure, SaysWhatWasThrown) {
  EXPECT_FALSE(cell_failure([] {}));
  const auto wrong = cell_failure([] { throw_usage("wrong"); });
  EXPECT_EQ(wrong->code, ExitCode::kUsage);
  EXPECT_EQ(wrong->message, "wrong");
  const auto foreign = cell_failure([] { throw std::runtime_error("first line\nstack"); });
  EXPECT_EQ(foreign->code, ExitCode::kInternal);
  EXPECT_EQ(foreign->message, "first line");
  EXPECT_EQ(cell_failure([] { throw std::bad_alloc(); })->message, "out of memory");
}

TEST(CellFailure, WhatEndsTheProgramIsThrownOn) {
  for (const ExitCode code :
       {ExitCode::kCheckpointed, ExitCode::kPeerLost, ExitCode::kHang, ExitCode::kDiverged}) {
    expect_error(code, "over", [code] { cell_failure([code] { throw Error(code, "over"); }); });
  }
}

TEST(CellFailure, RanksThatFailAlikeGoOnTogether) {
  const TemporaryFolder folder;
  const Failure failure{ExitCode::kBadData, "f.csv:3: wrong"};
  distributed::run_thread_ranks(3, [&](Communicator& communicator) {
    CellFailures failures(communicator, 20.0);
    for (int cell = 0; cell < 2; ++cell) {
      failures.begin(folder.path());
      failures.go_on_together(folder.path(), failure);
    }
    std::int64_t sum = 1;
    communicator.all_reduce(&sum, 1, distributed::DType::kInt64);
    EXPECT_EQ(sum, 3);
  });
  EXPECT_FALSE(CellFailures::left_in(folder.path()));
  EXPECT_EQ(folder.entries(), 0U);
}

TEST(CellFailure, ARankThatFailedAloneEndsTheProgramAndLeavesItsReport) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kIo, "disk full", [&] {
    distributed::run_thread_ranks(2, [&](Communicator& communicator) {
      CellFailures failures(communicator, 0.2);
      failures.begin(folder.path());
      if (communicator.rank() == 1) {
        failures.go_on_together(folder.path(), {ExitCode::kIo, "disk full"});
      }
      communicator.barrier();
    });
  });
  const auto left = CellFailures::left_in(folder.path());
  ASSERT_TRUE(left);
  EXPECT_EQ(left->code, ExitCode::kIo);
  EXPECT_EQ(left->message, "disk full");
  distributed::LocalCommunicator alone;
  CellFailures(alone, 0.0).begin(folder.path());
  EXPECT_FALSE(CellFailures::left_in(folder.path()));
}

TEST(CellFailure, RanksThatFailDifferentlyDoNotGoOn) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kInternal, "rank", [&] {
    distributed::run_thread_ranks(2, [&](Communicator& communicator) {
      CellFailures failures(communicator, 20.0);
      failures.begin(folder.path());
      failures.go_on_together(
          folder.path(),
          {ExitCode::kInternal, "rank " + std::to_string(communicator.rank()) + " has its own"});
    });
  });
  EXPECT_TRUE(CellFailures::left_in(folder.path()));
}

}  // namespace
}  // namespace rallrec::pipeline
