#include "data/dataset_file.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "data/history.h"
#include "io/hdf5_file.h"
#include "tests/data/made_up_data.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::data {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

FieldTable made_up_fields(const IdMap& items) {
  FieldBuilder title("title", FieldKind::kToken);
  FieldBuilder genres("genres of the item", FieldKind::kTokenSequence, true);
  FieldBuilder price("price", FieldKind::kFloat);
  for (std::int32_t item = 0; item < items.size(); ++item) {
    if (item != 1) title.add("Caf\xC3\xA9 \"" + items.name(item) + "\"\n");
    for (std::int32_t k = 0; k < item; ++k) genres.add("g" + std::to_string(k));
    if (item > 0) price.add(static_cast<float>(item) / 3.0F);
    for (FieldBuilder* builder : {&title, &genres, &price}) builder->end_row();
  }
  FieldTable table;
  for (FieldBuilder* builder : {&title, &genres, &price}) table.fields.push_back(builder->take());
  return table;
}

Dataset made_up_dataset() {
  std::vector<MadeUpRow> rows;
  for (int k = 0; k < 37; ++k) {
    rows.push_back({"u" + std::to_string(k * k % 5), std::to_string(k * 7 % 11),
                    static_cast<float>(k % 6) - 0.5F, 1000 + k / 3});
  }
  config::DataOptions options;
  options.min_history = 2;
  RawData raw = made_up_raw(rows);
  raw.rejected_rows = 4;
  options.deduplicate = true;
  Dataset dataset = build_dataset(std::move(raw), options);
  dataset.item_fields = made_up_fields(dataset.items);
  return dataset;
}

TEST(DatasetFile, GivesBackWhatWasSaved) {
  const TemporaryFolder folder;
  const Dataset saved = made_up_dataset();
  save_dataset(folder.file("a.h5"), saved);
  const Dataset loaded = load_dataset(folder.file("a.h5"));
  ASSERT_EQ(loaded.users.size(), saved.users.size());
  ASSERT_EQ(loaded.items.size(), saved.items.size());
  for (std::int32_t item = 0; item < saved.items.size(); ++item) {
    EXPECT_EQ(loaded.items.name(item), saved.items.name(item));
    for (const Field& field : saved.item_fields.fields) {
      EXPECT_EQ(loaded.item_fields.values(field.name, item),
                saved.item_fields.values(field.name, item));
    }
  }
  ASSERT_EQ(loaded.item_fields.fields.size(), 3U);
  EXPECT_TRUE(loaded.item_fields.find("genres of the item")->derived);
  EXPECT_EQ(loaded.item_fields.find("price")->kind, FieldKind::kFloat);
  EXPECT_EQ(loaded.user_fields.fields.size(), 0U);
  EXPECT_EQ(loaded.interactions.user, saved.interactions.user);
  EXPECT_EQ(loaded.interactions.item, saved.interactions.item);
  EXPECT_EQ(loaded.interactions.rating, saved.interactions.rating);
  EXPECT_EQ(loaded.interactions.timestamp, saved.interactions.timestamp);
  EXPECT_EQ(loaded.timelines.offsets, saved.timelines.offsets);
  EXPECT_EQ(loaded.timelines.rows, saved.timelines.rows);
  EXPECT_EQ(loaded.samples.row, saved.samples.row);
  EXPECT_EQ(loaded.samples.position, saved.samples.position);
  EXPECT_EQ(loaded.samples.label, saved.samples.label);
  EXPECT_EQ(loaded.samples.train_end, saved.samples.train_end);
  EXPECT_EQ(loaded.samples.valid_end, saved.samples.valid_end);
  EXPECT_GT(saved.repeated_rows, 0);
  EXPECT_EQ(loaded.repeated_rows, saved.repeated_rows);
  EXPECT_EQ(loaded.rejected_rows, 4);
}

TEST(DatasetFile, KeepsADatasetWithoutTimestampsAsItIs) {
  const TemporaryFolder folder;
  Dataset untimed = made_up_dataset();
  untimed.interactions.timestamp.clear();
  untimed.time_ordered = false;
  untimed.filtered_rows = 9;
  save_dataset(folder.file("a.h5"), untimed);
  const Dataset loaded = load_dataset(folder.file("a.h5"));
  EXPECT_TRUE(loaded.interactions.timestamp.empty());
  EXPECT_FALSE(loaded.time_ordered);
  EXPECT_EQ(loaded.filtered_rows, 9);
  EXPECT_EQ(loaded.samples.row, untimed.samples.row);
  untimed.time_ordered = true;
  save_dataset(folder.file("b.h5"), untimed);
  expect_error(ExitCode::kBadData, "no timestamps", [&] { load_dataset(folder.file("b.h5")); });
}

TEST(DatasetFile, KeepsTimesBetweenWholeNumbers) {
  const TemporaryFolder folder;
  Dataset saved = made_up_dataset();
  InteractionTable& table = saved.interactions;
  table.timestamp_fraction.assign(table.size(), 0.5);
  save_dataset(folder.file("a.h5"), saved);
  EXPECT_EQ(load_dataset(folder.file("a.h5")).interactions.timestamp_fraction,
            table.timestamp_fraction);
  table.timestamp_fraction[7] = 0.25;
  table.timestamp[7] = table.timestamp[6];
  save_dataset(folder.file("b.h5"), saved);
  expect_error(ExitCode::kBadData, "row 7 is older", [&] { load_dataset(folder.file("b.h5")); });
  table.timestamp_fraction[7] = 1.0;
  save_dataset(folder.file("c.h5"), saved);
  expect_error(ExitCode::kBadData, "timestamp_fraction",
               [&] { load_dataset(folder.file("c.h5")); });
}

TEST(DatasetFile, SameDataSameBytes) {
  const TemporaryFolder folder;
  save_dataset(folder.file("a.h5"), made_up_dataset());
  save_dataset(folder.file("b.h5"), load_dataset(folder.file("a.h5")));
  EXPECT_EQ(folder.get("a.h5"), folder.get("b.h5"));
}

TEST(DatasetFile, RefusesFilesOfAnotherKind) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kMissingInput, "none.h5", [&] { load_dataset(folder.file("none.h5")); });
  folder.put("text.h5", "not HDF5 at all");
  expect_error(ExitCode::kBadData, "text.h5", [&] { load_dataset(folder.file("text.h5")); });
  io::Hdf5Writer other(folder.file("other.h5"));
  other.add("users", std::vector<std::int32_t>{1, 2});
  other.commit();
  expect_error(ExitCode::kBadData, "not a data set",
               [&] { load_dataset(folder.file("other.h5")); });
}

using Damage = void (*)(Dataset&);

struct DamageCase {
  const char* message;
  Damage damage;
};

TEST(DatasetFile, RefusesArraysThatDoNotFit) {
  const DamageCase cases[] = {
      {"interactions.user", [](Dataset& d) { d.interactions.item.pop_back(); }},
      {"interactions.user", [](Dataset& d) { d.interactions.user[3] = d.users.size(); }},
      {"interactions.item", [](Dataset& d) { d.interactions.item[3] = -1; }},
      {"interactions.rating",
       [](Dataset& d) { d.interactions.rating[0] = std::numeric_limits<float>::quiet_NaN(); }},
      {"interactions.timestamp", [](Dataset& d) { d.interactions.timestamp[5] = 1; }},
      {"samples.row", [](Dataset& d) { d.samples.label.pop_back(); }},
      {"samples.row", [](Dataset& d) { d.samples.row[0] = 1 << 20; }},
      {"samples.row", [](Dataset& d) { std::swap(d.samples.row[0], d.samples.row[1]); }},
      {"samples.position", [](Dataset& d) { ++d.samples.position[2]; }},
      {"samples.position", [](Dataset& d) { d.samples.position[2] = -1; }},
      {"samples.label", [](Dataset& d) { d.samples.label[0] = 2; }},
      {"train_end", [](Dataset& d) { d.samples.train_end = -1; }},
      {"valid_end", [](Dataset& d) { d.samples.valid_end = d.samples.train_end - 1; }},
      {"item_fields.0.codes", [](Dataset& d) { d.item_fields.fields[0].codes[0] = 999; }},
      {"item_fields.1.offsets", [](Dataset& d) { d.item_fields.fields[1].offsets[2] = 77; }},
      {"item_fields.2.offsets", [](Dataset& d) { d.item_fields.fields[2].offsets.pop_back(); }},
      {"interactions.user", [](Dataset& d) { d.users = IdMap(); }}};
  for (const DamageCase& test : cases) {
    const TemporaryFolder folder;
    Dataset dataset = made_up_dataset();
    test.damage(dataset);
    save_dataset(folder.file("a.h5"), dataset);
    expect_error(ExitCode::kBadData, test.message, [&] { load_dataset(folder.file("a.h5")); });
  }
}

}  // namespace
}  // namespace rallrec::data
