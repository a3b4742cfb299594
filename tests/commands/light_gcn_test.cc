// `rallrec light_gcn` as a process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/commands/program.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class LightGcnCommand : public ::testing::Test {
 protected:
  LightGcnCommand() {
    std::string rows = "user_id:token\titem_id:token\n";
    for (int row = 0; row < 60; ++row) {
      rows += "u" + std::to_string(row % 10) + "\ti" + std::to_string(row * 7 % 13) + "\n";
    }
    folder.put("train.inter", rows);
    folder.put("test.inter", "user_id:token\titem_id:token\nu1\ti0\nu1\ti1\nu2\tnew\nx\ti2\n");
  }

  Outcome run(const std::vector<std::string>& settings) const {
    std::vector<std::string> arguments = {"light_gcn",
                                          "--interactions",
                                          folder.file("train.inter"),
                                          "--test",
                                          folder.file("test.inter"),
                                          "--output",
                                          folder.file("out"),
                                          "--set",
                                          "light_gcn.epochs=2"};
    for (const std::string& setting : settings) {
      arguments.insert(arguments.end(), {"--set", setting});
    }
    return rallrec(arguments);
  }

  TemporaryFolder folder;
};

TEST_F(LightGcnCommand, SaysWhichSettingsDoNothing) {
  const Outcome silent = run({});
  ASSERT_EQ(silent.code, 0) << silent.err;
  EXPECT_THAT(silent.err, Not(HasSubstr("has no effect")));
  const Outcome outcome = run({"light_gcn.edges=up_to_last_train", "light_gcn.patience=3"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("light_gcn.edges (--set"));
  EXPECT_THAT(outcome.err, HasSubstr("light_gcn.patience (--set"));
  EXPECT_THAT(outcome.err, HasSubstr("without --valid all epochs are trained"));
}

TEST_F(LightGcnCommand, NamesTheTestRowsThatCannotBeFound) {
  const Outcome outcome = run({});
  EXPECT_THAT(outcome.err,
              HasSubstr("test.inter: of 4 rows 1 of users without a training edge (x), "
                        "1 of items without one (new)"));
}

TEST_F(LightGcnCommand, AMessageNamesTheCommandOnce) {
  const Outcome outcome = run({"light_gcn.learning_rate=1e30", "light_gcn.epochs=9"});
  EXPECT_EQ(outcome.code, 76) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("rallrec light_gcn: the "));
  EXPECT_THAT(outcome.err, Not(HasSubstr("light_gcn: light_gcn:")));
}

// What is there is lost only when there are inputs to make it anew from.
TEST_F(LightGcnCommand, EarlierResultsGoWhenTheInputsHaveBeenRead) {
  ASSERT_EQ(run({}).code, 0);
  const auto results = [this] { return std::filesystem::exists(folder.file("out/metrics.json")); };
  ASSERT_TRUE(results());
  const std::string train = folder.get("train.inter");
  folder.put("train.inter", "");
  EXPECT_EQ(run({}).code, 65);
  EXPECT_TRUE(results());
  folder.put("train.inter", train);
  EXPECT_EQ(run({"light_gcn.learning_rate=1e30", "light_gcn.epochs=9"}).code, 76);
  EXPECT_FALSE(results());
}

TEST_F(LightGcnCommand, AnEmptyFileIsCalledEmpty) {
  folder.put("train.inter", "");
  const Outcome outcome = run({});
  EXPECT_EQ(outcome.code, 65) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("train.inter:1:1: the file is empty"));
  EXPECT_LE(lines_in(outcome.err), 5);
}

}  // namespace
}  // namespace rallrec::testing
