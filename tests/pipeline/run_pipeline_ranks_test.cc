// The runner over several processes: rank 0 decides, every rank takes part.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "distributed/session.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "logging/log.h"
#include "pipeline/run_pipeline.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

distributed::Communicator* communicator = nullptr;
int runs = 0;

// Writes the sum of (rank + 1) over ranks, so a rank that stayed away would show.
void run_sum(StageContext& context) {
  ++runs;
  std::int64_t sum = context.communicator.rank() + 1;
  context.communicator.all_reduce(&sum, 1, distributed::DType::kInt64);
  if (context.communicator.rank() == 0) {
    context.report.add("sum", sum);
    io::write_file_atomically(context.run_dir + "/sum/out.txt", std::to_string(sum));
  }
}

TEST(RunPipelineRanks, AllRanksRunAndKeepTogether) {
  std::unique_ptr<rallrec::testing::TemporaryFolder> folder;
  if (communicator->rank() == 0) {
    folder = std::make_unique<rallrec::testing::TemporaryFolder>();
  }
  const std::string run_dir =
      distributed::broadcast_string(*communicator, folder ? folder->file("run") : "", 0);
  logging::LogOptions log;
  log.rank = communicator->rank();
  log.size = communicator->size();
  logging::configure_logging(log);

  const std::vector<Stage> table = {
      {"sum", {}, {"sum/out.txt"}, {"tune"}, ModelUse::kNone, &run_sum}};
  const RunRequest request{run_dir, {}};
  const auto done = run_pipeline(request, {}, *communicator, table);
  const auto kept = run_pipeline(request, {}, *communicator, table);
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(done[0].kept);
  EXPECT_TRUE(kept[0].kept);
  const int size = communicator->size();
  EXPECT_EQ(io::read_file(run_dir + "/sum/out.txt"), std::to_string(size * (size + 1) / 2));
  EXPECT_TRUE(io::file_exists(
      run_dir + "/" + (log.rank == 0 ? "run" : "rank" + std::to_string(log.rank)) + ".log"));
  if (communicator->rank() == 0) {
    EXPECT_EQ(kept[0].ranks, size);
    EXPECT_EQ(kept[0].figures, done[0].figures);
  }
  communicator->barrier();
}

}  // namespace
}  // namespace rallrec::pipeline

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  rallrec::distributed::Session session(rallrec::distributed::detect_launch_environment());
  rallrec::pipeline::communicator = &session.communicator();
  const char* expected = std::getenv("RALLREC_EXPECT_RANKS");
  if (expected != nullptr && session.communicator().size() != std::atoi(expected)) {
    return EXIT_FAILURE;
  }
  return RUN_ALL_TESTS();
}
