#include "pipeline/ingest.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "data/dataset_file.h"
#include "distributed/thread_communicator.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

// Atomic files of 20 users with 15 made-up interactions each; `extra` is appended to the .inter
// file.
void put_shop(const TemporaryFolder& folder, const std::string& extra = "") {
  Rng rng(11);
  std::string rows = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";
  for (int k = 0; k < 300; ++k) {
    rows += std::to_string(k % 20) + "\ti" + std::to_string(rng.next_below(40)) + "\t" +
            std::to_string(1 + rng.next_below(5)) + "\t" + std::to_string(rng.next_below(1000)) +
            "\n";
  }
  folder.put("shop.inter", rows + extra);
  folder.put("shop.item", "item_id:token\ttitle:token\ni1\tA Made-Up Title\n");
}

config::Options options_for(const TemporaryFolder& raw) {
  config::Options options;
  options.data.dataset = "atomic";
  options.data.path = raw.path();
  return options;
}

std::string ingest_with(int ranks, const config::Options& options, const TemporaryFolder& run) {
  distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
    StageContext context{options, communicator, run.path()};
    run_ingest(context);
    const bool reports = communicator.rank() == 0;
    EXPECT_EQ(context.report.figures().empty(), !reports);
  });
  return run.get("ingest/interactions.h5");
}

TEST(Ingest, WritesTheSameFileUnderAnyRankCount) {
  const TemporaryFolder raw;
  put_shop(raw);
  const TemporaryFolder one;
  const TemporaryFolder three;
  const std::string bytes = ingest_with(1, options_for(raw), one);
  EXPECT_FALSE(bytes.empty());
  EXPECT_EQ(ingest_with(3, options_for(raw), three), bytes);
  const data::Dataset dataset = data::load_dataset(one.file("ingest/interactions.h5"));
  EXPECT_EQ(dataset.interactions.size(), 300U);
  EXPECT_EQ(dataset.users.size(), 20);
  EXPECT_EQ(dataset.samples.size(), 200);
  EXPECT_EQ(dataset.samples.train_end, 160);
  EXPECT_EQ(dataset.samples.valid_end, 180);
  EXPECT_EQ(dataset.item_fields.text("title", dataset.items.find("i1")), "A Made-Up Title");
}

TEST(Ingest, PutsBadRowsAsideAndForgetsOldOnes) {
  const TemporaryFolder raw;
  put_shop(raw, "1\ti2\tmany\t3\n");
  const TemporaryFolder run;
  config::Options options = options_for(raw);
  expect_error(ExitCode::kBadData, "shop.inter:302:6", [&] { ingest_with(2, options, run); });
  EXPECT_EQ(run.get("ingest/interactions.h5"), "");
  options.data.max_bad_rows = 1;
  ingest_with(2, options, run);
  EXPECT_NE(run.get("ingest/shop.inter.rejects").find("1\ti2\tmany\t3"), std::string::npos);
  EXPECT_EQ(data::load_dataset(run.file("ingest/interactions.h5")).rejected_rows, 1);
  put_shop(raw);
  ingest_with(1, options, run);
  EXPECT_FALSE(std::filesystem::exists(run.file("ingest/shop.inter.rejects")));
}

}  // namespace
}  // namespace rallrec::pipeline
