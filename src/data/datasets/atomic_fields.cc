#include "data/datasets/atomic_fields.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "data/datasets/atomic_header.h"
#include "data/datasets/profile.h"

namespace rallrec::data {
namespace {

// RecBole's names on MovieLens → ours.
constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"movie_title", "title"}, {"class", "genres"}, {"release_year", "year"}, {"zip_code", "zip"}};

std::string name_of(const AtomicHeader& header, const std::string& column) {
  for (const auto& [theirs, ours] : kNames) {
    if (column == theirs && header.find(ours) < 0) return std::string(ours);
  }
  return column;
}

// One value or sequence, parsed but not stored: a row must be whole before any of it is.
struct Cell {
  std::vector<std::string> tokens;
  std::vector<float> numbers;
};

float number_of(const io::DelimitedRow& row, std::size_t i, const std::string& name,
                const std::string& text) {
  float number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ||
      !std::isfinite(number)) {
    row.fail(i, name + ": expected a finite number, found '" + text + "'");
  }
  return number;
}

class Column {
 public:
  Column(std::size_t index, std::string name, FieldKind kind, FieldWords words)
      : index_(index), name_(std::move(name)), kind_(kind), words_(words), builder_(name_, kind_) {}

  const std::string& name() const { return name_; }

  Cell parse(const io::DelimitedRow& row) const {
    Cell cell;
    const bool single = kind_ == FieldKind::kToken || kind_ == FieldKind::kFloat;
    const std::string text(trim_end(row[index_]));
    for (std::string& value : single ? std::vector<std::string>{text} : split(text, " ")) {
      if (value.empty()) continue;
      if (is_gender() && !gender_word(value).empty()) value = gender_word(value);
      if (is_token(kind_)) {
        cell.tokens.push_back(std::move(value));
      } else {
        cell.numbers.push_back(number_of(row, index_, name_, value));
      }
    }
    return cell;
  }

  void store(const Cell& cell) {
    for (const std::string& token : cell.tokens) builder_.add(token);
    for (const float number : cell.numbers) builder_.add(number);
    builder_.end_row();
  }

  Field take() { return builder_.take(); }

 private:
  bool is_gender() const { return words_ == FieldWords::kOurs && name_ == "gender"; }

  std::size_t index_;
  std::string name_;
  FieldKind kind_;
  FieldWords words_;
  FieldBuilder builder_;
};

std::vector<Column> columns_of(const AtomicHeader& header, std::string_view id_column,
                               FieldWords words) {
  std::vector<Column> columns;
  for (std::size_t k = 0; k < header.size(); ++k) {
    const AtomicColumn& column = header.columns()[k];
    if (column.name == id_column) continue;
    if (words == FieldWords::kAsInFile) {
      columns.emplace_back(k, column.name, column.kind, words);
      continue;
    }
    const std::string name = name_of(header, column.name);
    const bool whole_title = name == "title" && column.kind == FieldKind::kTokenSequence;
    columns.emplace_back(k, name, whole_title ? FieldKind::kToken : column.kind, words);
  }
  return columns;
}

// The column age_group, where there is an age and no such column yet.
void add_age_groups(FieldTable& table) {
  const Field* age = table.find("age");
  if (age == nullptr || table.find("age_group") != nullptr) return;
  FieldBuilder builder("age_group", FieldKind::kToken, true);
  for (std::int32_t row = 0; row < age->rows(); ++row) {
    const std::string group = age_group(table.text("age", row));
    if (!group.empty()) builder.add(group);
    builder.end_row();
  }
  table.fields.push_back(builder.take());
}

}  // namespace

FieldTable read_atomic_fields(const std::string& file, std::string_view id_column,
                              const ReadOptions& options, IdMap& ids, std::int64_t& rejected_rows,
                              FieldWords words) {
  const AtomicHeader header(file);
  const std::size_t id_index = header.require(id_column);
  std::vector<Column> columns = columns_of(header, id_column, words);
  const auto format = delimited_options(file, "\t", header.size(), options);
  const auto counts = io::for_each_row(file, format, [&](const io::DelimitedRow& row) {
    if (row.line() == 1) return;
    const std::string_view id = row[id_index];
    if (id.empty()) row.fail(id_index, std::string(id_column) + " is empty");
    require_new(row, id_index, id_column, ids, id);
    std::vector<Cell> cells;
    for (const Column& column : columns) cells.push_back(column.parse(row));
    for (std::size_t k = 0; k < columns.size(); ++k) columns[k].store(cells[k]);
    ids.add(id);
  });
  rejected_rows += counts.rejected;
  FieldTable table;
  for (Column& column : columns) table.fields.push_back(column.take());
  if (words == FieldWords::kOurs) add_age_groups(table);
  return table;
}

}  // namespace rallrec::data
