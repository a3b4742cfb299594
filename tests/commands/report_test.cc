#include <gtest/gtest.h>

#include "tests/commands/program.h"
#include "tests/support/temporary_folder.h"

namespace rallrec {
namespace {

using testing::rallrec;
using testing::run_program;
using testing::TemporaryFolder;

const std::string kPython = RALLREC_PYTHON;

TEST(ReportCommand, WritesOnePage) {
  const TemporaryFolder folder;
  const std::string script = std::string(RALLREC_SOURCE_DIR) + "/tests/tools/made_up_run.py";
  ASSERT_EQ(run_program({kPython, "-B", script, folder.path()}).code, 0);
  const auto outcome = rallrec({"report", "--run-dir", folder.path()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.empty());
  EXPECT_NE(outcome.err.find("report.html"), std::string::npos) << outcome.err;
  const std::string html = folder.get("report.html");
  EXPECT_NE(html.find("0.7312"), std::string::npos);
  EXPECT_NE(html.find("</html>"), std::string::npos);
}

TEST(ReportCommand, AnEmptyRunAndAnotherOutput) {
  const TemporaryFolder folder;
  const auto outcome =
      rallrec({"report", "--run-dir", folder.path(), "--output", folder.file("page.html")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(folder.get("page.html").find("no finished stage yet"), std::string::npos);
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(ReportCommand, ErrorsAreOneLine) {
  const TemporaryFolder folder;
  auto outcome = rallrec({"report", "--run-dir", folder.file("none")});
  EXPECT_EQ(outcome.code, 66);
  EXPECT_NE(outcome.err.find("none: no such run folder"), std::string::npos) << outcome.err;
  EXPECT_LE(testing::lines_in(outcome.err), 5);
  outcome =
      rallrec({"report", "--run-dir", folder.path(), "--output", folder.file("no/page.html")});
  EXPECT_EQ(outcome.code, 66);
  EXPECT_NE(outcome.err.find("no: no such folder to write page.html to"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(rallrec({"report"}).code, 64);
  folder.put("report.html", "the page of a run");
  folder.put("config.resolved.toml", "");
  outcome = rallrec({"report", "--experiment", folder.path()});
  EXPECT_EQ(outcome.code, 66);
  EXPECT_NE(outcome.err.find("is the folder of a run; use --run-dir"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(folder.get("report.html"), "the page of a run");
  const TemporaryFolder experiment;
  experiment.put("results.jsonl", "");
  outcome = rallrec({"report", "--run-dir", experiment.path()});
  EXPECT_EQ(outcome.code, 66);
  EXPECT_NE(outcome.err.find("use --experiment"), std::string::npos) << outcome.err;
  EXPECT_EQ(rallrec({"report", "--run-dir", folder.path(), "--experiment", experiment.path()}).code,
            64);
}

}  // namespace
}  // namespace rallrec
