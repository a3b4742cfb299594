#include "data/datasets/atomic_header.h"

#include "core/error.h"
#include "data/datasets/source_file.h"
#include "io/utf8.h"

namespace rallrec::data {
namespace {

[[noreturn]] void fail(const std::string& file, std::size_t column, const std::string& message) {
  throw_bad_data(file + ":1:" + std::to_string(column),
                 message + "; expected a header such as user_id:token<tab>item_id:token");
}

FieldKind kind_of(const std::string& word, const std::string& file, std::size_t column) {
  if (word == "token") return FieldKind::kToken;
  if (word == "token_seq") return FieldKind::kTokenSequence;
  if (word == "float") return FieldKind::kFloat;
  if (word == "float_seq") return FieldKind::kFloatSequence;
  fail(file, column, io::shown(word) + " is not one of token, token_seq, float, float_seq");
}

}  // namespace

AtomicHeader::AtomicHeader(const std::string& file) : file_(file) {
  const std::string line = first_line(file);
  if (line.empty()) fail(file, 1, "the file is empty or starts with an empty line");
  if (io::find_invalid_utf8(line) != std::string::npos) fail(file, 1, "the header is not UTF-8");
  std::size_t column = 1;
  for (const std::string& cell : split(line, "\t")) {
    const std::size_t colon = cell.rfind(':');
    if (colon == std::string::npos || colon == 0)
      fail(file, column, io::shown(cell) + " has no kind");
    const std::string name = cell.substr(0, colon);
    if (find(name) >= 0) fail(file, column, "column " + io::shown(name) + " occurs more than once");
    columns_.push_back({name, kind_of(cell.substr(colon + 1), file, column)});
    column += cell.size() + 1;
  }
}

int AtomicHeader::find(std::string_view name) const {
  for (std::size_t k = 0; k < columns_.size(); ++k) {
    if (columns_[k].name == name) return static_cast<int>(k);
  }
  return -1;
}

std::size_t AtomicHeader::require(std::string_view name) const {
  const int column = find(name);
  if (column < 0) fail(file_, 1, "there is no column " + std::string(name));
  return static_cast<std::size_t>(column);
}

}  // namespace rallrec::data
