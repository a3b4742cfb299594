#pragma once

#include <string>
#include <string_view>

#include "data/field_table.h"

namespace rallrec::data {

// The age group of an age in years, which may be followed by other characters ("34\"", "34.0"):
// "under 18", "18-24", "25-29", …, "55-59", "60+"; kUnknown (filters.h) without a number from 5 to
// 100.
std::string reader_age_group(std::string_view age);

// Collects the fields of Book-Crossing, one call per row of the file of books or users.
class BookFields {
 public:
  void add_row(std::string_view isbn, std::string_view title, std::string_view author,
               std::string_view year, std::string_view publisher);
  FieldTable take();

 private:
  FieldBuilder title_{"title", FieldKind::kToken};
  FieldBuilder author_{"author", FieldKind::kToken};
  FieldBuilder year_{"year", FieldKind::kToken};
  FieldBuilder publisher_{"publisher", FieldKind::kToken};
  FieldBuilder isbn_{"isbn", FieldKind::kToken, true};
};

class ReaderFields {
 public:
  void add_row(std::string_view location, std::string_view age);
  FieldTable take();

 private:
  FieldBuilder country_{"country", FieldKind::kToken};
  FieldBuilder age_group_{"age_group", FieldKind::kToken};
};

}  // namespace rallrec::data
