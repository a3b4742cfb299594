#include "data/datasets/profile.h"

#include <gtest/gtest.h>

namespace rallrec::data {
namespace {

TEST(Profile, PutsAgesAndAgeCodesIntoTheSameGroups) {
  EXPECT_EQ(age_group("1"), "under 18");
  EXPECT_EQ(age_group("0"), "under 18");
  EXPECT_EQ(age_group("17"), "under 18");
  EXPECT_EQ(age_group("18"), "18-24");
  EXPECT_EQ(age_group("24"), "18-24");
  EXPECT_EQ(age_group("34"), "25-34");
  EXPECT_EQ(age_group("44"), "35-44");
  EXPECT_EQ(age_group("49"), "45-49");
  EXPECT_EQ(age_group("55"), "50-55");
  EXPECT_EQ(age_group("56"), "above 56");
  EXPECT_EQ(age_group("199"), "above 56");
  for (const char* wrong : {"200", "", "x", "-3", "4.5", "0018"}) EXPECT_EQ(age_group(wrong), "");
  EXPECT_TRUE(is_age_code("45"));
  EXPECT_FALSE(is_age_code("44"));
}

TEST(Profile, NamesGendersAndOccupations) {
  EXPECT_EQ(gender_word("M"), "male");
  EXPECT_EQ(gender_word("F"), "female");
  EXPECT_EQ(gender_word("m"), "");
  EXPECT_EQ(occupation_word("0"), "other");
  EXPECT_EQ(occupation_word("20"), "writer");
  EXPECT_EQ(occupation_word("21"), "");
  EXPECT_EQ(occupation_word(""), "");
}

TEST(Profile, FindsTheYearOnlyAtTheEndOfATitle) {
  EXPECT_EQ(year_of_title("Made Up, The (1987)"), "1987");
  EXPECT_EQ(year_of_title("(1987)"), "1987");
  EXPECT_EQ(year_of_title("Made Up (1987) (V)"), "");
  EXPECT_EQ(year_of_title("Made Up 1987)"), "");
  EXPECT_EQ(year_of_title("Made Up (198x)"), "");
  EXPECT_EQ(year_of_title(""), "");
}

}  // namespace
}  // namespace rallrec::data
