#include "data/id_map.h"

#include <gtest/gtest.h>

#include <utility>

#include "core/error.h"

namespace rallrec::data {
namespace {

std::vector<std::string> catalogue(const std::vector<std::string>& names) {
  IdMap map;
  for (const std::string& name : names) map.add(name);
  std::vector<std::string> result;
  for (const std::int32_t id : map.sorted()) result.push_back(map.name(id));
  return result;
}

TEST(IdMap, GivesDenseIdsInOrderOfFirstAppearance) {
  IdMap map;
  EXPECT_EQ(map.add("b"), 0);
  EXPECT_EQ(map.add("a"), 1);
  EXPECT_EQ(map.add("b"), 0);
  EXPECT_EQ(map.size(), 2);
  EXPECT_EQ(map.find("a"), 1);
  EXPECT_EQ(map.find("c"), -1);
  EXPECT_THROW(map.name(2), Error);
  EXPECT_THROW(map.name(-1), Error);
}

TEST(IdMap, SortsNumbersByValueAndOtherNamesByBytes) {
  EXPECT_EQ(catalogue({"10", "9", "100", "0"}), (std::vector<std::string>{"0", "9", "10", "100"}));
  EXPECT_EQ(catalogue({"10", "9", "x"}), (std::vector<std::string>{"10", "9", "x"}));
  // A leading zero makes it a name, not a number: "07" and "7" are two ids.
  EXPECT_EQ(catalogue({"7", "07", "10"}), (std::vector<std::string>{"07", "10", "7"}));
  EXPECT_EQ(catalogue({"99999999999999999999", "9"}),
            (std::vector<std::string>{"9", "99999999999999999999"}));
  EXPECT_TRUE(catalogue({}).empty());
}

TEST(IdMap, StaysValidAfterGrowthAndMove) {
  IdMap map;
  for (int k = 0; k < 5000; ++k) map.add("name" + std::to_string(k));
  IdMap moved = std::move(map);
  for (int k = 0; k < 5000; ++k) EXPECT_EQ(moved.find("name" + std::to_string(k)), k);
  const IdMap selected = moved.select({4999, 3});
  EXPECT_EQ(selected.size(), 2);
  EXPECT_EQ(selected.find("name4999"), 0);
  EXPECT_EQ(selected.find("name3"), 1);
}

}  // namespace
}  // namespace rallrec::data
