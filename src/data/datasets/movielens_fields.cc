#include "data/datasets/movielens_fields.h"

#include "data/datasets/profile.h"

namespace rallrec::data {
namespace {

void add_single(FieldBuilder& builder, std::string_view value) {
  if (!value.empty()) builder.add(value);
  builder.end_row();
}

}  // namespace

void MovieFields::add_row(std::string_view title, const std::vector<std::string>& genres) {
  add_single(title_, title);
  for (const std::string& genre : genres) genres_.add(genre);
  genres_.end_row();
  add_single(year_, year_of_title(title));
}

FieldTable MovieFields::take() {
  FieldTable table;
  for (FieldBuilder* builder : {&title_, &genres_, &year_}) table.fields.push_back(builder->take());
  return table;
}

void ProfileFields::add_row(std::string_view gender, std::string_view age,
                            std::string_view occupation, std::string_view zip) {
  add_single(gender_, gender_word(gender));
  add_single(age_, age);
  add_single(age_group_, age_group(age));
  add_single(occupation_, occupation);
  add_single(zip_, zip);
}

FieldTable ProfileFields::take() {
  FieldTable table;
  for (FieldBuilder* builder : {&gender_, &age_, &age_group_, &occupation_, &zip_}) {
    table.fields.push_back(builder->take());
  }
  return table;
}

}  // namespace rallrec::data
