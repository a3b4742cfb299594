#include "pipeline/run_summary.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

TEST(StageLines, ShowStatusTimeRanksAndWork) {
  const std::string text =
      stage_lines({{"ingest", true, 1.26, 2, 1, {{"users", std::int64_t{943}}, {"rate", 0.123456}}},
                   {"describe", false, 60.0, 1, 1, {{"mode", std::string("greedy")}}}});
  EXPECT_EQ(text,
            "stage       status    seconds  ranks  work\n"
            "ingest      kept          1.3      2  943 users, 0.1235 rate\n"
            "describe    done         60.0      1  greedy mode\n"
            "total                    61.3\n");
}

TEST(StageLines, MakeRoomForALongName) {
  EXPECT_EQ(stage_lines({{"baseline/deep_fm", false, 2.0, 1, 1, {}}}),
            "stage             status    seconds  ranks  work\n"
            "baseline/deep_fm  done          2.0      1  \n"
            "total                           2.0\n");
}

class MetricLines : public ::testing::Test {
 protected:
  void put(const std::string& text) {
    std::filesystem::create_directories(folder_.file("evaluate"));
    folder_.put("evaluate/metrics.json", text);
  }

  TemporaryFolder folder_;
};

TEST_F(MetricLines, ShowBothModelsWithIntervals) {
  const std::string intervals =
      R"("intervals": {"auc": [0.55, 0.65], "log_loss": null, "accuracy": [0.5, 0.75]}})";
  const std::string scores = R"({"n": 1000, "log_loss": 0.7, "accuracy": 0.625, "auc": )";
  put("{\"tuned\": " + scores + "0.6123456, " + intervals + ", \"zero_shot\": " + scores +
      "null, " + intervals + "}");
  const std::string text = metric_lines(folder_.path());
  EXPECT_NE(text.find("0.6123 [0.5500, 0.6500]"), std::string::npos) << text;
  EXPECT_NE(text.find("0.7000  "), std::string::npos) << text;
  EXPECT_NE(text.find("0.6250 [0.5000, 0.7500]"), std::string::npos) << text;
  EXPECT_LT(text.find("zero-shot        1000  -  "), text.find("tuned            1000"));
  EXPECT_EQ(text.find("difference"), std::string::npos);
}

TEST_F(MetricLines, ShowTheDifferenceWithItsSign) {
  const std::string scores = R"({"n": 9, "log_loss": 0.7, "accuracy": 0.5, "auc": 0.6, )"
                             R"("intervals": {"auc": null, "log_loss": null, "accuracy": null}})";
  put("{\"tuned\": " + scores + ", \"zero_shot\": " + scores +
      R"(, "tuned_minus_zero_shot": {"n": 9, "auc": 0.0893, "log_loss": -0.0324, "accuracy": 0,)"
      R"( "intervals": {"auc": [-0.01, 0.1], "log_loss": null, "accuracy": null}}})");
  const std::string text = metric_lines(folder_.path());
  EXPECT_NE(text.find("difference          9  +0.0893 [-0.0100, +0.1000]  "), std::string::npos)
      << text;
  EXPECT_NE(text.find("  -0.0324  "), std::string::npos) << text;
}

TEST_F(MetricLines, ShowABaselineAlone) {
  put(R"({"baseline": {"n": 9, "log_loss": 0.7, "accuracy": 0.5, "auc": 0.6125, )"
      R"("intervals": {"auc": null, "log_loss": null, "accuracy": null}}})");
  const std::string text = metric_lines(folder_.path());
  EXPECT_NE(text.find("baseline            9  0.6125"), std::string::npos) << text;
  EXPECT_EQ(text.find("tuned"), std::string::npos);
}

TEST_F(MetricLines, AreEmptyWithoutTheFileAndRefuseAnotherOne) {
  EXPECT_EQ(metric_lines(folder_.path()), "");
  for (const char* text : {"", "[]", "{}", "{\"tuned\": 3}", "{\"tuned\": {\"n\": \"x\"}}"}) {
    put(text);
    expect_error(ExitCode::kBadData, "evaluate/metrics.json",
                 [&] { metric_lines(folder_.path()); });
  }
}

}  // namespace
}  // namespace rallrec::pipeline
