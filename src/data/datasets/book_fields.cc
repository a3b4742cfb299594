#include "data/datasets/book_fields.h"

#include <charconv>

#include "data/datasets/country.h"
#include "data/datasets/html_text.h"
#include "data/datasets/source_file.h"
#include "data/filters.h"

namespace rallrec::data {
namespace {

// "n/a" in any letters.
bool is_stand_in(std::string_view text) {
  return text.empty() || text == "NULL" || text == "n/a" || text == "N/A" || text == "N/a";
}

void add_single(FieldBuilder& builder, std::string_view value) {
  builder.add(is_stand_in(value) ? kUnknown : value);
  builder.end_row();
}

}  // namespace

std::string reader_age_group(std::string_view age) {
  int years = 0;
  const auto parsed = std::from_chars(age.data(), age.data() + age.size(), years);
  if (parsed.ec != std::errc() || years < 5 || years > 100) return kUnknown;
  if (years < 18) return "under 18";
  if (years < 25) return "18-24";
  if (years >= 60) return "60+";
  const int from = years / 5 * 5;
  return std::to_string(from) + "-" + std::to_string(from + 4);
}

void BookFields::add_row(std::string_view isbn, std::string_view title, std::string_view author,
                         std::string_view year, std::string_view publisher) {
  if (!title.empty()) title_.add(decode_entities(title));
  title_.end_row();
  add_single(author_, decode_entities(author));
  add_single(year_, year.size() == 4 ? year : "");
  add_single(publisher_, decode_entities(publisher));
  isbn_.add(isbn);
  isbn_.end_row();
}

FieldTable BookFields::take() {
  FieldTable table;
  for (FieldBuilder* builder : {&title_, &author_, &year_, &publisher_, &isbn_}) {
    table.fields.push_back(builder->take());
  }
  return table;
}

void ReaderFields::add_row(std::string_view location, std::string_view age) {
  add_single(country_, country_of(location));
  add_single(age_group_, reader_age_group(age));
}

FieldTable ReaderFields::take() {
  FieldTable table;
  for (FieldBuilder* builder : {&country_, &age_group_}) table.fields.push_back(builder->take());
  return table;
}

}  // namespace rallrec::data
