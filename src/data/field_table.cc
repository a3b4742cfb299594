#include "data/field_table.h"

#include <sstream>
#include <utility>

namespace rallrec::data {
namespace {

std::string number_text(float number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

}  // namespace

bool is_token(FieldKind kind) {
  return kind == FieldKind::kToken || kind == FieldKind::kTokenSequence;
}

const Field* FieldTable::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::vector<std::string> FieldTable::values(std::string_view name, std::int32_t row) const {
  std::vector<std::string> result;
  const Field* field = find(name);
  if (field == nullptr || row < 0 || row >= field->rows()) return result;
  if (is_token(field->kind)) {
    for (const std::int32_t code : field->codes_of(row)) result.push_back(field->vocabulary[code]);
  } else {
    for (const float number : field->numbers_of(row)) result.push_back(number_text(number));
  }
  return result;
}

std::string FieldTable::text(std::string_view name, std::int32_t row) const {
  std::string result;
  for (const std::string& value : values(name, row)) {
    if (!result.empty()) result += ", ";
    result += value;
  }
  return result;
}

FieldBuilder::FieldBuilder(std::string name, FieldKind kind, bool derived) {
  field_.name = std::move(name);
  field_.kind = kind;
  field_.derived = derived;
}

void FieldBuilder::add(std::string_view token) {
  const auto next = static_cast<std::int32_t>(field_.vocabulary.size());
  const auto [place, inserted] = codes_.emplace(token, next);
  if (inserted) field_.vocabulary.emplace_back(token);
  field_.codes.push_back(place->second);
}

void FieldBuilder::add(float number) { field_.numbers.push_back(number); }

void FieldBuilder::end_row() {
  const std::size_t end = is_token(field_.kind) ? field_.codes.size() : field_.numbers.size();
  field_.offsets.push_back(static_cast<std::int64_t>(end));
}

Field FieldBuilder::take() {
  codes_.clear();
  return std::move(field_);
}

Field select_rows(const Field& field, const std::vector<std::int32_t>& rows) {
  FieldBuilder builder(field.name, field.kind, field.derived);
  for (const std::int32_t row : rows) {
    if (row >= 0 && row < field.rows()) {
      if (is_token(field.kind)) {
        for (const std::int32_t code : field.codes_of(row)) builder.add(field.vocabulary[code]);
      } else {
        for (const float number : field.numbers_of(row)) builder.add(number);
      }
    }
    builder.end_row();
  }
  return builder.take();
}

FieldTable select_rows(const FieldTable& table, const std::vector<std::int32_t>& rows) {
  FieldTable result;
  for (const Field& field : table.fields) result.fields.push_back(select_rows(field, rows));
  return result;
}

}  // namespace rallrec::data
