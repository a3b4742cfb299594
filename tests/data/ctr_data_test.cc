#include "data/ctr_data.h"

#include <gtest/gtest.h>

#include "data/datasets/atomic_ctr.h"
#include "tests/data/made_up_data.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::data {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

class CtrFilesTest : public ::testing::Test {
 protected:
  CtrFilesTest() {
    files_.train = put("train.inter", "u1\ti1\t5\t1\nu2\ti2\t3\t0\n");
    files_.valid = put("valid.inter", "u1\ti2\t4\t1.0\nu3\ti1\t1\t0\n");
    files_.test = put("test.inter", "u9\ti9\t2\t0\nu1\ti1\t2\t1\nu1\ti1\t2\t1\n");
  }
  std::string put(const std::string& name, const std::string& rows) const {
    return folder_.put(name, "user_id:token\titem_id:token\trating:float\tlabel:float\n" + rows);
  }
  CtrData read(const ReadOptions& options = {}) const { return read_ctr_files(files_, options); }

  TemporaryFolder folder_;
  CtrFiles files_;
};

TEST_F(CtrFilesTest, KeepsTheRowsOfEachFileInTheirOrder) {
  const CtrData data = read();
  ASSERT_EQ(data.test.size(), 3);
  EXPECT_EQ(data.users.name(data.test.user[0]), "u9");
  EXPECT_EQ(data.items.name(data.test.item[2]), "i1");
  EXPECT_EQ(data.test.label, (std::vector<std::uint8_t>{0, 1, 1}));
  EXPECT_EQ(data.valid.label, (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(data.train.source, files_.train);
  EXPECT_TRUE(data.user_fields.fields.empty());
}

TEST_F(CtrFilesTest, SideFilesKeepNamesKindsAndWords) {
  files_.users = folder_.put("my.user", "user_id:token\tage:token\tgender:token\nu2\t30\tF\n");
  files_.items = folder_.put("my.item", "item_id:token\tmovie_title:token_seq\ni1\tTwo Words\n");
  const CtrData data = read();
  ASSERT_EQ(data.user_fields.fields.size(), 2U);
  EXPECT_EQ(data.user_fields.text("gender", data.users.find("u2")), "F");
  EXPECT_EQ(data.user_fields.text("gender", data.users.find("u1")), "");
  EXPECT_EQ(data.item_fields.fields[0].name, "movie_title");
  EXPECT_EQ(data.item_fields.values("movie_title", data.items.find("i1")),
            (std::vector<std::string>{"Two", "Words"}));
}

TEST_F(CtrFilesTest, PlacesEveryBadRow) {
  const std::pair<const char*, const char*> cases[] = {
      {"u1\ti1\t5\t2\n", "train.inter:2:9: label: expected 0 or 1, found '2'"},
      {"u1\ti1\t5\tyes\n", "train.inter:2:9: label"},
      {"u1\ti1\t5\t0\nu1\ti1\t5\t0.5\n", "train.inter:3:9: label: expected 0 or 1"},
      {"u1\ti1\t5\t\n", "train.inter:2:9: label"},
      {"\ti1\t5\t1\n", "train.inter:2:1: user_id is empty"},
      {"u1\t\t5\t1\n", "train.inter:2:4: item_id is empty"},
      {"", "train.inter: holds no sample"}};
  for (const auto& [rows, message] : cases) {
    files_.train = put("train.inter", rows);
    expect_error(ExitCode::kBadData, message, [&] { read(); });
  }
}

TEST_F(CtrFilesTest, SetsBadRowsAsideWhereAllowed) {
  files_.test = put("test.inter", "u1\ti1\t2\t7\nu1\ti1\t2\t1\n");
  const CtrData data = read({1, folder_.path()});
  EXPECT_EQ(data.test.size(), 1);
  EXPECT_NE(folder_.get("test.inter.rejects").find("u1\ti1\t2\t7"), std::string::npos);
}

TEST_F(CtrFilesTest, NamesTheMissingColumnAndTheMissingFile) {
  files_.valid = folder_.put("valid.inter", "user_id:token\titem_id:token\nu1\ti1\n");
  expect_error(ExitCode::kBadData, "valid.inter:1:1: there is no column label", [&] { read(); });
  files_.valid = folder_.file("none.inter");
  expect_error(ExitCode::kMissingInput, "none.inter", [&] { read(); });
}

TEST_F(CtrFilesTest, ASplitWithOneLabelIsNamed) {
  EXPECT_NO_THROW(require_both_labels(read()));
  files_.test = put("test.inter", "u1\ti1\t2\t1\nu2\ti1\t2\t1\n");
  expect_error(ExitCode::kBadData, "test.inter: all 2 labels of test are 1",
               [&] { require_both_labels(read()); });
  files_.train = put("train.inter", "u1\ti1\t2\t0\n");
  expect_error(ExitCode::kBadData, "train.inter: all 1 labels of train are 0",
               [&] { require_both_labels(read()); });
}

TEST(CtrDataOfARun, HasSamplesAndTheirLatestItems) {
  std::vector<MadeUpRow> rows;
  for (int t = 0; t < 10; ++t) {
    rows.push_back({"u", "i" + std::to_string(t), static_cast<float>(t % 5 + 1), t});
  }
  config::DataOptions options;
  options.min_history = 1;
  options.train_share = 0.5;
  options.valid_share = 0.25;
  const auto dataset = [&] { return build_dataset(made_up_raw(rows), options); };
  const CtrData data = ctr_data_of(dataset(), "run.h5", 3);
  // Samples 1 … 9: four train, two valid, three test.
  ASSERT_EQ(data.train.size(), 4);
  ASSERT_EQ(data.valid.size(), 2);
  ASSERT_EQ(data.test.size(), 3);
  EXPECT_EQ(data.items.name(data.train.item[0]), "i1");
  EXPECT_EQ(data.train.label, (std::vector<std::uint8_t>{0, 0, 1, 1}));
  EXPECT_EQ(data.train.history_offsets, (std::vector<std::int64_t>{0, 1, 3, 6, 9}));
  EXPECT_EQ(data.items.name(data.train.history[8]), "i3");
  EXPECT_EQ(data.items.name(data.train.history[6]), "i1");
  EXPECT_TRUE(ctr_data_of(dataset(), "run.h5", 0).test.history_offsets.empty());
}

}  // namespace
}  // namespace rallrec::data
