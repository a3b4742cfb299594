#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/field_table.h"

namespace rallrec::data {

// Collects the fields that both MovieLens releases have, one call per row of the item or user file.
class MovieFields {
 public:
  void add_row(std::string_view title, const std::vector<std::string>& genres);
  FieldTable take();

 private:
  FieldBuilder title_{"title", FieldKind::kToken};
  FieldBuilder genres_{"genres", FieldKind::kTokenSequence};
  FieldBuilder year_{"year", FieldKind::kToken, true};
};

class ProfileFields {
 public:
  // `gender` is M or F, `age` in years or the first year of its group, `occupation` in words.
  void add_row(std::string_view gender, std::string_view age, std::string_view occupation,
               std::string_view zip);
  FieldTable take();

 private:
  FieldBuilder gender_{"gender", FieldKind::kToken};
  FieldBuilder age_{"age", FieldKind::kToken};
  FieldBuilder age_group_{"age_group", FieldKind::kToken, true};
  FieldBuilder occupation_{"occupation", FieldKind::kToken};
  FieldBuilder zip_{"zip", FieldKind::kToken};
};

}  // namespace rallrec::data
