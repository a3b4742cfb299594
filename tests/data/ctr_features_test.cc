#include "data/ctr_features.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/feature_block.h"
#include "tests/support/expect_error.h"

namespace rallrec::data {
namespace {

using testing::expect_error;

// Users a, b, c and items x, y, z. c and z are in no training sample; c and y have no row in their
// side files.
CtrData made_up_data() {
  CtrData data;
  for (const char* user : {"a", "b", "c"}) data.users.add(user);
  for (const char* item : {"x", "y", "z"}) data.items.add(item);
  FieldBuilder city("city", FieldKind::kToken);
  FieldBuilder derived("group", FieldKind::kToken, true);
  for (const char* name : {"Rome", "Rome"}) {
    city.add(name);
    city.end_row();
    derived.add(name);
    derived.end_row();
  }
  FieldBuilder height("height", FieldKind::kFloat);
  height.add(2.0F);
  height.end_row();
  height.add(5.0F);
  height.end_row();
  for (FieldBuilder* builder : {&city, &derived, &height}) {
    data.user_fields.fields.push_back(builder->take());
  }
  FieldBuilder tags("tags", FieldKind::kTokenSequence);
  tags.add("red");
  tags.add("big");
  tags.end_row();
  tags.end_row();
  tags.add("new");
  tags.add("red");
  tags.add("big");
  tags.add("red");
  tags.end_row();
  data.item_fields.fields.push_back(tags.take());
  // a twice, b once.
  data.train = {"train", {0, 0, 1}, {0, 1, 0}, {1, 0, 1}, {}, {}, {}};
  data.valid = {"valid", {2, 0}, {2, 0}, {1, 0}, {}, {}, {}};
  data.test = data.valid;
  return data;
}

// The entries of one field of an entity, as (row, weight).
using Entries = std::vector<std::pair<std::int32_t, float>>;
Entries entries_of(const FeatureBags& bags, std::int64_t entity, std::int64_t field) {
  Entries entries;
  const auto bag = static_cast<std::size_t>(entity * bags.fields + field);
  for (std::int64_t e = bags.offsets[bag]; e < bags.offsets[bag + 1]; ++e) {
    entries.emplace_back(bags.rows[static_cast<std::size_t>(e)],
                         bags.weights[static_cast<std::size_t>(e)]);
  }
  return entries;
}

TEST(CtrFeatures, NumberTheValuesOfTrainingFieldByField) {
  const CtrFeatures features = encode_features(made_up_data(), {});
  std::vector<std::string> names;
  std::vector<std::int32_t> rows;
  for (const FeatureField& field : features.fields) {
    names.push_back(field.name);
    rows.push_back(field.rows);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"user_id", "city", "height", "item_id", "tags"}));
  // Each with one for unseen values, but the number.
  EXPECT_EQ(rows, (std::vector<std::int32_t>{3, 2, 1, 3, 3}));
  EXPECT_EQ(features.rows, 12);
  EXPECT_EQ(features.fields[3].first_row, 6);
}

TEST(CtrFeatures, UnseenAndMissingValuesShareARow) {
  const CtrFeatures features = encode_features(made_up_data(), {});
  EXPECT_EQ(entries_of(features.users, 0, 0), (Entries{{1, 1.0F}}));
  EXPECT_EQ(entries_of(features.users, 2, 0), (Entries{{0, 1.0F}}));
  EXPECT_EQ(entries_of(features.users, 1, 1), (Entries{{4, 1.0F}}));
  EXPECT_EQ(entries_of(features.users, 2, 1), (Entries{{3, 1.0F}}));
  EXPECT_EQ(entries_of(features.items, 2, 0), (Entries{{6, 1.0F}}));
}

TEST(CtrFeatures, WordsOfASequenceAreAveraged) {
  const CtrFeatures features = encode_features(made_up_data(), {});
  EXPECT_EQ(entries_of(features.items, 0, 1), (Entries{{10, 0.5F}, {11, 0.5F}}));
  EXPECT_EQ(entries_of(features.items, 1, 1), (Entries{{9, 1.0F}}));
  // "new" is in no training sample, "red" counts twice.
  EXPECT_EQ(entries_of(features.items, 2, 1),
            (Entries{{9, 0.25F}, {10, 0.25F}, {11, 0.25F}, {10, 0.25F}}));
}

TEST(CtrFeatures, NumbersAreStandardisedOverTrainingSamples) {
  const CtrFeatures features = encode_features(made_up_data(), {});
  // 2, 2, 5: mean 3, deviation √2.
  const double deviation = std::sqrt(2.0);
  EXPECT_FLOAT_EQ(entries_of(features.users, 0, 2)[0].second, static_cast<float>(-1 / deviation));
  EXPECT_FLOAT_EQ(entries_of(features.users, 1, 2)[0].second, static_cast<float>(2 / deviation));
  EXPECT_EQ(entries_of(features.users, 2, 2), (Entries{{5, 0.0F}}));
}

TEST(CtrFeatures, AFieldWithOneNumberSaysNothing) {
  CtrData data = made_up_data();
  data.user_fields.fields[2].numbers = {7.0F, 7.0F};
  EXPECT_EQ(entries_of(encode_features(data, {}).users, 0, 2), (Entries{{5, 0.0F}}));
}

TEST(CtrFeatures, LeaveOutColumnsByName) {
  const CtrFeatures features = encode_features(made_up_data(), {{"user_id", "tags"}});
  ASSERT_EQ(features.fields.size(), 3U);
  EXPECT_EQ(features.fields[0].name, "city");
  EXPECT_EQ(features.items.fields, 1);
  expect_error(ExitCode::kUsage, "no column is called 'tag'; did you mean 'tags'?",
               [] { encode_features(made_up_data(), {{"tag"}}); });
  expect_error(ExitCode::kUsage, "leaves no feature", [] {
    encode_features(made_up_data(), {{"user_id", "city", "height", "item_id", "tags"}});
  });
}

TEST(FeatureBlock, HoldsTheEntriesOfItsSamples) {
  const CtrData data = made_up_data();
  const CtrFeatures features = encode_features(data, {});
  FeatureBlocker blocker(features);
  FeatureBlock block;
  const std::int64_t samples[] = {2, 0};
  for (int repeat = 0; repeat < 2; ++repeat) {
    blocker.fill(data.train, samples, 2, block);
    EXPECT_EQ(block.labels, (std::vector<std::uint8_t>{1, 1}));
    EXPECT_EQ(block.offsets, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12}));
    EXPECT_EQ(block.sample_offsets, (std::vector<std::int64_t>{0, 6, 12}));
    // b, Rome, height, x, red, big; then a, where the rest is the same.
    EXPECT_EQ(block.rows, (std::vector<std::int32_t>{2, 4, 5, 7, 10, 11, 1}));
    EXPECT_EQ(block.ids, (std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5}));
    EXPECT_EQ(block.weights[4], 0.5F);
  }
}

TEST(FeatureBlock, AHistoryIsTheMeanOfItsItems) {
  CtrData data = made_up_data();
  data.train.history_offsets = {0, 0, 1, 3};
  data.train.history = {0, 1, 0};
  data.valid.history_offsets = {0, 2, 2};
  data.valid.history = {2, 1};
  const CtrFeatures features = encode_features(data, {});
  EXPECT_EQ(features.fields.back().name, "history");
  EXPECT_EQ(features.fields.back().first_row, 12);
  EXPECT_EQ(features.rows, 15);  // x, y, and one for the others
  FeatureBlocker blocker(features);
  FeatureBlock block;
  const std::int64_t samples[] = {0, 1};
  blocker.fill(data.valid, samples, 2, block);
  const auto entry = [&](std::size_t e) {
    return std::pair(block.rows[static_cast<std::size_t>(block.ids[e])], block.weights[e]);
  };
  const auto last = static_cast<std::size_t>(block.sample_offsets[1]);
  EXPECT_EQ(entry(last - 2), std::pair(12, 0.5F));  // z
  EXPECT_EQ(entry(last - 1), std::pair(14, 0.5F));  // y
  EXPECT_EQ(entry(block.ids.size() - 1), std::pair(12, 1.0F));
}

}  // namespace
}  // namespace rallrec::data
