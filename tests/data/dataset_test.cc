#include "data/dataset.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/rng.h"
#include "data/history.h"
#include "tests/data/made_up_data.h"

namespace rallrec::data {
namespace {

std::string message_of(RawData raw, const config::DataOptions& options) {
  try {
    build_dataset(std::move(raw), options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "";
}

TEST(Dataset, NumbersIdsInCatalogueOrder) {
  RawData raw = made_up_raw({{"10", "b", 4, 1}, {"9", "a", 2, 1}});
  raw.items.add("c");
  raw.users.add("1");
  const Dataset dataset = build_dataset(std::move(raw), all_training(0));
  ASSERT_EQ(dataset.users.size(), 2);
  EXPECT_EQ(dataset.users.name(0), "9");
  EXPECT_EQ(dataset.users.name(1), "10");
  ASSERT_EQ(dataset.items.size(), 3);
  EXPECT_EQ(dataset.items.name(2), "c");
  // Equal timestamps: user 9 comes before user 10 because ids are numbers.
  EXPECT_EQ(dataset.sample_user(0), 0);
  EXPECT_EQ(dataset.items.name(dataset.sample_item(0)), "a");
}

TEST(Dataset, KeepsFieldsBesideTheirIds) {
  RawData raw;
  raw.source = "made_up.inter";
  FieldBuilder title("title", FieldKind::kToken);
  for (const char* name : {"30", "4"}) {
    raw.items.add(name);
    title.add(std::string("film ") + name);
    title.end_row();
  }
  raw.item_fields.fields.push_back(title.take());
  raw.interactions.user = {raw.users.add("u"), raw.users.add("u")};
  raw.interactions.item = {raw.items.add("5"), raw.items.add("30")};
  raw.interactions.rating = {1, 5};
  raw.interactions.timestamp = {1, 2};
  const Dataset dataset = build_dataset(std::move(raw), all_training(0));
  EXPECT_EQ(dataset.item_fields.text("title", dataset.items.find("30")), "film 30");
  EXPECT_EQ(dataset.item_fields.text("title", dataset.items.find("4")), "film 4");
  EXPECT_EQ(dataset.item_fields.text("title", dataset.items.find("5")), "");
}

// Against a direct reading of the rules: count earlier rows for every row, quadratic on purpose.
TEST(Dataset, SamplesAndHistoriesFollowTheRules) {
  Rng rng(3);
  std::vector<MadeUpRow> rows;
  for (int k = 0; k < 157; ++k) {
    rows.push_back({std::to_string(rng.next_below(9)), std::to_string(1000 + k),
                    static_cast<float>(1 + rng.next_below(5)),
                    static_cast<std::int64_t>(rng.next_below(20))});
  }
  config::DataOptions options = all_training(3);
  options.train_share = 0.7;
  options.valid_share = 0.2;
  const Dataset dataset = build_dataset(made_up_raw(rows), options);
  const InteractionTable& table = dataset.interactions;
  std::int32_t sample = 0;
  for (std::size_t row = 0; row < table.size(); ++row) {
    std::vector<std::int32_t> earlier;
    for (std::size_t before = 0; before < row; ++before) {
      if (table.user[before] == table.user[row]) earlier.push_back(table.item[before]);
    }
    if (earlier.size() < 3) continue;
    ASSERT_LT(sample, dataset.samples.size());
    EXPECT_EQ(dataset.samples.row[sample], static_cast<std::int32_t>(row));
    EXPECT_EQ(dataset.samples.label[sample], table.rating[row] > 3 ? 1 : 0);
    const History history = history_of(dataset, sample++);
    ASSERT_EQ(history.size(), earlier.size());
    for (std::size_t k = 0; k < earlier.size(); ++k) EXPECT_EQ(history.item(k), earlier[k]);
  }
  EXPECT_EQ(sample, dataset.samples.size());
  EXPECT_EQ(dataset.samples.train_end, sample * 7 / 10);
  EXPECT_EQ(dataset.samples.valid_end, sample * 7 / 10 + sample * 2 / 10);
}

TEST(Dataset, SharesDoNotLoseASampleToRounding) {
  std::vector<MadeUpRow> rows;
  for (int k = 0; k < 1000; ++k) rows.push_back({"1", std::to_string(k), 4, k});
  for (const int tenths : {1, 3, 6, 7}) {
    config::DataOptions options = all_training(0);
    options.train_share = tenths / 10.0;
    options.valid_share = 0.1;
    const Dataset dataset = build_dataset(made_up_raw(rows), options);
    EXPECT_EQ(dataset.samples.train_end, tenths * 100);
    EXPECT_EQ(dataset.samples.valid_end, tenths * 100 + 100);
  }
}

TEST(Dataset, DeduplicateKeepsTheNewestRowAndFreesTheTarget) {
  const std::vector<MadeUpRow> rows = {{"u", "x", 5, 1}, {"u", "y", 2, 2}, {"u", "x", 1, 3}};
  config::DataOptions options = all_training(1);
  const Dataset with = build_dataset(made_up_raw(rows), options);
  ASSERT_EQ(with.samples.size(), 2);
  const History leaky = history_of(with, 1);
  ASSERT_EQ(leaky.size(), 2U);
  EXPECT_EQ(leaky.item(0), with.sample_item(1));
  options.deduplicate = true;
  const Dataset without = build_dataset(made_up_raw(rows), options);
  EXPECT_EQ(without.repeated_rows, 1);
  ASSERT_EQ(without.samples.size(), 1);
  EXPECT_EQ(without.sample_rating(0), 1.0F);
  const History clean = history_of(without, 0);
  ASSERT_EQ(clean.size(), 1U);
  EXPECT_EQ(without.items.name(clean.item(0)), "y");
  EXPECT_EQ(clean[0].rating, 2.0F);
  EXPECT_EQ(clean.timestamp(0), 2);
}

TEST(Dataset, RefusesWhatHasNoSamples) {
  const auto split_error = message_of(made_up_raw({{"u", "x", 5, 1}}), all_training(5));
  EXPECT_NE(split_error.find("train split is empty"), std::string::npos) << split_error;
  EXPECT_NE(message_of(made_up_raw({}), all_training(0)).find("no interactions"),
            std::string::npos);
  RawData untimed = made_up_raw({{"u", "x", 5, 1}});
  untimed.interactions.timestamp.clear();
  EXPECT_NE(message_of(std::move(untimed), all_training(0)).find("no timestamps"),
            std::string::npos);
  RawData unrated = made_up_raw({{"u", "x", 5, 1}});
  unrated.interactions.rating.clear();
  EXPECT_NE(message_of(std::move(unrated), all_training(0)).find("no ratings"), std::string::npos);
  config::DataOptions options = all_training(0);
  options.train_share = 0.8;
  options.valid_share = 0.1;
  EXPECT_NE(message_of(made_up_raw({{"u", "x", 5, 1}, {"u", "y", 5, 1}}), options)
                .find("valid split is empty"),
            std::string::npos);
}

}  // namespace
}  // namespace rallrec::data
