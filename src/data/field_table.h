#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/array_view.h"

namespace rallrec::data {

// What a column of a user or item file holds: words or numbers, one or several per row.
enum class FieldKind : std::uint8_t {
  kToken = 0,
  kTokenSequence = 1,
  kFloat = 2,
  kFloatSequence = 3
};

bool is_token(FieldKind kind);

// One column over all users or all items. Row r has the values [offsets[r], offsets[r + 1]) of
// `codes` (indices into `vocabulary`) or of `numbers`. A row without a value has an empty range.
struct Field {
  std::string name;
  FieldKind kind = FieldKind::kToken;
  // True where the reader computed the column for prompts (year from the title, age group from the
  // age): it is no feature of its own.
  bool derived = false;
  std::vector<std::string> vocabulary;
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::int32_t> codes;
  std::vector<float> numbers;

  std::int64_t rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  ArrayView<std::int32_t> codes_of(std::int32_t row) const { return row_view(offsets, codes, row); }
  ArrayView<float> numbers_of(std::int32_t row) const { return row_view(offsets, numbers, row); }
};

// The fields of all users or of all items; row = dense id.
//
// Field names are the same for every data set that has the information: items have "title",
// "genres" (several values) and "year"; users have "gender" (male, female), "age" (as in the file),
// "age_group" ("under 18", "18-24", …), "occupation" (words) and "zip". Other columns keep their
// names.
class FieldTable {
 public:
  std::vector<Field> fields;

  // nullptr where there is no such field.
  const Field* find(std::string_view name) const;
  // The values as text, several joined by ", "; "" where the field or the value is missing.
  std::string text(std::string_view name, std::int32_t row) const;
  // The values one by one; empty where the field or the value is missing.
  std::vector<std::string> values(std::string_view name, std::int32_t row) const;
};

// Appends the rows of one field.
class FieldBuilder {
 public:
  FieldBuilder(std::string name, FieldKind kind, bool derived = false);

  // Adds a value to the row that is being filled. The first is for token kinds, the second for
  // floats.
  void add(std::string_view token);
  void add(float number);
  void end_row();
  Field take();

 private:
  Field field_;
  std::unordered_map<std::string, std::int32_t> codes_;
};

// Row k of the result is row rows[k] of `field`; a row outside the field is empty. The vocabulary
// keeps only the values in use, in order of their first row.
Field select_rows(const Field& field, const std::vector<std::int32_t>& rows);
FieldTable select_rows(const FieldTable& table, const std::vector<std::int32_t>& rows);

}  // namespace rallrec::data
