#include "data/filters.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/rng.h"
#include "tests/data/made_up_data.h"
#include "tests/support/expect_error.h"

namespace rallrec::data {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs_of(const RawData& raw) {
  Pairs pairs;
  for (std::size_t row = 0; row < raw.interactions.size(); ++row) {
    pairs.emplace_back(raw.users.name(raw.interactions.user[row]),
                       raw.items.name(raw.interactions.item[row]));
  }
  return pairs;
}

std::vector<MadeUpRow> rows_of(const Pairs& pairs) {
  std::vector<MadeUpRow> rows;
  for (const auto& [user, item] : pairs) rows.push_back({user, item, 4, 1});
  return rows;
}

Pairs random_pairs(std::uint64_t seed, int rows) {
  Rng rng(seed);
  Pairs pairs;
  for (int k = 0; k < rows; ++k) {
    const std::uint64_t user = rng.next_below(9) * rng.next_below(9);
    const std::uint64_t item = rng.next_below(7) * rng.next_below(7);
    pairs.emplace_back("u" + std::to_string(user), "i" + std::to_string(item));
  }
  return pairs;
}

// The rule as one would say it: count, erase, begin again; names in place of ids.
void erase_outside(Pairs& pairs, bool by_user, std::int64_t low, std::int64_t high) {
  const auto name = [&](const auto& pair) { return by_user ? pair.first : pair.second; };
  std::map<std::string, std::int64_t> counts;
  for (const auto& pair : pairs) ++counts[name(pair)];
  Pairs kept;
  for (const auto& pair : pairs) {
    const std::int64_t count = counts[name(pair)];
    if (count >= low && count <= high) kept.push_back(pair);
  }
  pairs = kept;
}

Pairs core_of(Pairs pairs, const config::DataOptions& options) {
  for (std::size_t before = 0; before != pairs.size();) {
    before = pairs.size();
    Pairs by_items = pairs;
    const auto users = [&](Pairs& rows) {
      erase_outside(rows, true, options.core_min_user_rows, options.core_max_user_rows);
    };
    const auto items = [&](Pairs& rows) {
      erase_outside(rows, false, options.core_min_item_rows, options.core_max_item_rows);
    };
    if (options.core_order == "items_first") {
      items(pairs);
      users(pairs);
    } else if (options.core_order == "users_first") {
      users(pairs);
      items(pairs);
    } else {
      items(by_items);
      users(pairs);
      const std::set<std::string> kept = [&] {
        std::set<std::string> names;
        for (const auto& pair : by_items) names.insert(pair.second);
        return names;
      }();
      Pairs both;
      for (const auto& pair : pairs) {
        if (kept.count(pair.second) == 1) both.push_back(pair);
      }
      pairs = both;
    }
  }
  return pairs;
}

config::DataOptions core_options(const std::string& order) {
  config::DataOptions options;
  options.core_min_user_rows = 4;
  options.core_max_user_rows = 20;
  options.core_min_item_rows = 5;
  options.core_max_item_rows = 25;
  options.core_order = order;
  return options;
}

TEST(Filters, LeaveEverythingByDefault) {
  RawData raw = made_up_raw({{"u", "x", 0, 1}, {"v", "y", 5, 2}});
  raw.items.add("never rated");
  EXPECT_EQ(apply_filters(raw, {}), 0);
  EXPECT_EQ(pairs_of(raw), (Pairs{{"u", "x"}, {"v", "y"}}));
  EXPECT_EQ(raw.items.size(), 3);
}

TEST(Filters, TheCoreDependsOnWhoseTurnIsFirst) {
  std::set<std::vector<std::size_t>> sizes_of_orders;
  for (const char* order : {"users_first", "items_first", "together"}) {
    const config::DataOptions options = core_options(order);
    std::vector<std::size_t> sizes;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      const Pairs pairs = random_pairs(seed, 400);
      const Pairs expected = core_of(pairs, options);
      ASSERT_FALSE(expected.empty());
      ASSERT_LT(expected.size(), pairs.size());
      RawData raw = made_up_raw(rows_of(pairs));
      EXPECT_EQ(apply_filters(raw, options), static_cast<std::int64_t>(400 - expected.size()));
      EXPECT_EQ(pairs_of(raw), expected) << order << ", seed " << seed;
      std::set<std::string> items;
      for (const auto& pair : expected) items.insert(pair.second);
      EXPECT_EQ(raw.items.size(), static_cast<std::int32_t>(items.size()));
      sizes.push_back(expected.size());
    }
    sizes_of_orders.insert(sizes);
  }
  EXPECT_GT(sizes_of_orders.size(), 1U);
}

TEST(Filters, TheItemsOfTheCoreKeepAllTheirRows) {
  config::DataOptions options = core_options("users_first");
  options.core_keeps = "items";
  options.min_user_rows = 3;
  const Pairs pairs = random_pairs(3, 400);
  std::set<std::string> items;
  for (const auto& pair : core_of(pairs, options)) items.insert(pair.second);
  Pairs expected;
  for (const auto& pair : pairs) {
    if (items.count(pair.second) == 1) expected.push_back(pair);
  }
  erase_outside(expected, true, 3, 1000);
  RawData raw = made_up_raw(rows_of(pairs));
  apply_filters(raw, options);
  EXPECT_EQ(pairs_of(raw), expected);
  EXPECT_GT(expected.size(), core_of(pairs, options).size());
}

TEST(Filters, KeepTheMostFrequentItemsTiesInCatalogueOrder) {
  const Pairs pairs = {{"u", "9"},  {"u", "10"}, {"v", "10"}, {"u", "3"},
                       {"w", "10"}, {"w", "9"},  {"v", "3"}};
  config::DataOptions options;
  options.frequent_items = 2;
  RawData raw = made_up_raw(rows_of(pairs));
  EXPECT_EQ(apply_filters(raw, options), 2);
  EXPECT_EQ(pairs_of(raw), (Pairs{{"u", "10"}, {"v", "10"}, {"u", "3"}, {"w", "10"}, {"v", "3"}}));
  EXPECT_EQ(raw.items.size(), 2);
}

RawData with_titles(const std::vector<MadeUpRow>& rows, const std::vector<std::string>& titles) {
  RawData raw = made_up_raw(rows);
  FieldBuilder builder("title", FieldKind::kToken);
  for (const std::string& title : titles) {
    if (!title.empty()) builder.add(title);
    builder.end_row();
  }
  raw.item_fields.fields.push_back(builder.take());
  return raw;
}

TEST(Filters, RequiredFieldsTakeItemsOutOfTheCatalogue) {
  // Items a, b, c and d; d has no row in the table of fields.
  const std::vector<MadeUpRow> rows = {
      {"u", "a", 4, 1}, {"u", "b", 4, 1}, {"v", "c", 4, 1}, {"v", "d", 4, 1}};
  config::DataOptions options;
  options.required_fields = {"title"};
  RawData raw = with_titles(rows, {kUnknown, "Second", ""});
  EXPECT_EQ(apply_filters(raw, options), 3);
  EXPECT_EQ(pairs_of(raw), (Pairs{{"u", "b"}}));
  EXPECT_EQ(raw.items.size(), 1);
  EXPECT_EQ(raw.item_fields.text("title", 0), "Second");
  options.required_fields = {"titel"};
  testing::expect_error(ExitCode::kUsage, "title", [&] {
    RawData other = with_titles(rows, {"A", "B", "C"});
    apply_filters(other, options);
  });
}

// A user below the bound counts for the core of items only where the untitled item counts, too.
TEST(Filters, RequiredFieldsComeBeforeTheRowsButAfterTheItemsOfTheCore) {
  const std::vector<MadeUpRow> rows = {
      {"u", "titled", 4, 1}, {"u", "untitled", 4, 1}, {"v", "titled", 4, 1}};
  config::DataOptions options;
  options.required_fields = {"title"};
  options.core_min_user_rows = 2;
  options.core_keeps = "items";
  RawData raw = with_titles(rows, {"A", ""});
  apply_filters(raw, options);
  EXPECT_EQ(pairs_of(raw), (Pairs{{"u", "titled"}, {"v", "titled"}}));
  options.core_keeps = "rows";
  testing::expect_error(ExitCode::kBadData,
                        "no interaction is left after the filters of section [data]: "
                        "required_fields = title left 2 of 3; core_min_user_rows = 2 left 0 of 2",
                        [&] {
                          RawData other = with_titles(rows, {"A", ""});
                          apply_filters(other, options);
                        });
}

TEST(Filters, TheOneThatLeavesNothingIsNamed) {
  const auto expect_named = [](const config::DataOptions& options, const std::string& filter) {
    testing::expect_error(ExitCode::kBadData, "[data]: " + filter + "; loosen that one", [&] {
      RawData raw = with_titles({{"u", "x", 0, 1}, {"v", "x", 0, 1}}, {""});
      apply_filters(raw, options);
    });
  };
  config::DataOptions options;
  options.min_user_rows = 2;
  expect_named(options, "min_user_rows = 2 left 0 of 2");
  options.core_min_item_rows = 3;
  options.core_max_user_rows = 9;
  expect_named(options, "core_max_user_rows = 9, core_min_item_rows = 3 left 0 of 2");
  options.required_fields = {"title"};
  expect_named(options, "required_fields = title left 0 of 2");
  options.implicit = "drop";
  expect_named(options, "implicit = drop left 0 of 2");
}

TEST(Filters, ImplicitRowsGoBeforeAnythingIsCounted) {
  const std::vector<MadeUpRow> rows = {
      {"u", "x", 0, 1}, {"u", "y", 7, 1}, {"v", "x", 1, 1}, {"v", "y", 0.5F, 1}};
  config::DataOptions options;
  options.implicit = "drop";
  RawData raw = made_up_raw(rows);
  EXPECT_EQ(apply_filters(raw, options), 1);
  EXPECT_EQ(pairs_of(raw), (Pairs{{"u", "y"}, {"v", "x"}, {"v", "y"}}));
  options.min_user_rows = 2;
  raw = made_up_raw(rows);
  EXPECT_EQ(apply_filters(raw, options), 2);
}

}  // namespace
}  // namespace rallrec::data
