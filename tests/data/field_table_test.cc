#include "data/field_table.h"

#include <gtest/gtest.h>

namespace rallrec::data {
namespace {

FieldTable made_up_table() {
  FieldBuilder genres("genres", FieldKind::kTokenSequence);
  genres.add("Noir");
  genres.add("Farce");
  genres.end_row();
  genres.end_row();
  genres.add("Farce");
  genres.end_row();
  FieldBuilder price("price", FieldKind::kFloat, true);
  for (const float value : {1.5F, 2.0F, -3.25F}) {
    price.add(value);
    price.end_row();
  }
  FieldTable table;
  table.fields.push_back(genres.take());
  table.fields.push_back(price.take());
  return table;
}

TEST(FieldTable, ReadsValuesByNameAndRow) {
  const FieldTable table = made_up_table();
  EXPECT_EQ(table.values("genres", 0), (std::vector<std::string>{"Noir", "Farce"}));
  EXPECT_EQ(table.text("genres", 0), "Noir, Farce");
  EXPECT_EQ(table.text("genres", 1), "");
  EXPECT_EQ(table.text("price", 2), "-3.25");
  EXPECT_EQ(table.text("price", 1), "2");
  EXPECT_EQ(table.text("price", 3), "");
  EXPECT_EQ(table.text("colour", 0), "");
  EXPECT_TRUE(table.find("price")->derived);
  EXPECT_EQ(table.find("colour"), nullptr);
}

TEST(FieldTable, SelectsRowsAndCompactsTheVocabulary) {
  const FieldTable picked = select_rows(made_up_table(), {2, 7, 2, -1});
  const Field& genres = picked.fields[0];
  EXPECT_EQ(genres.rows(), 4);
  EXPECT_EQ(genres.vocabulary, std::vector<std::string>{"Farce"});
  EXPECT_EQ(picked.text("genres", 0), "Farce");
  EXPECT_EQ(picked.text("genres", 1), "");
  EXPECT_EQ(picked.text("genres", 2), "Farce");
  EXPECT_EQ(picked.text("price", 3), "");
  EXPECT_TRUE(picked.fields[1].derived);
}

}  // namespace
}  // namespace rallrec::data
