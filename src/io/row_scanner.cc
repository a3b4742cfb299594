#include "io/row_scanner.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace rallrec::io {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 18;
constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";

// A small file needs no more than its size, and one byte to see its end.
std::size_t block_of(const InputFile& file) {
  constexpr std::uint64_t kLeast = 4096;
  return file.is_regular() ? std::clamp<std::uint64_t>(file.size() + 1, kLeast, kBlock) : kBlock;
}

bool is_blank(int c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::string where(const std::string& path, const RowPlace& place) {
  return path + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

std::string where(const std::string& path, const Row& row, std::size_t at) {
  RowPlace place = row.place;
  const std::size_t end = std::min(at, row.text.size());
  for (std::size_t i = 0; i < end; ++i) {
    place.column = row.text[i] == '\n' ? 1 : place.column + 1;
    place.line += row.text[i] == '\n' ? 1 : 0;
  }
  return where(path, place);
}

RowScanner::RowScanner(const InputFile& file, std::size_t max_row_bytes, const RowRange& range)
    : file_(file), max_row_bytes_(max_row_bytes), range_end_(range.end), buffer_(block_of(file)) {
  place_.offset = range.begin;
  place_.line = range.first_line;
  while (range.begin == 0 && end_ < 3 && fill()) {
  }
  if (end_ >= 3 && std::memcmp(buffer_.data(), kByteOrderMark, 3) == 0) {
    at_ = 3;
    place_.offset = 3;
  }
}

// Adds at least one byte behind `end_`, or returns false at the end of the file.
bool RowScanner::fill() {
  if (at_ == end_) {
    at_ = end_ = 0;
  }
  const std::size_t got =
      file_.read_some(place_.offset + (end_ - at_), buffer_.data() + end_, buffer_.size() - end_);
  end_ += got;
  return got > 0;
}

int RowScanner::peek() {
  return at_ < end_ || fill() ? static_cast<unsigned char>(buffer_[at_]) : kEnd;
}

void RowScanner::advance() {
  const bool line_end = buffer_[at_] == '\n';
  ++at_;
  ++place_.offset;
  place_.line += line_end ? 1 : 0;
  place_.column = line_end ? 1 : place_.column + 1;
}

void RowScanner::skip_blanks() {
  while (is_blank(peek())) {
    advance();
  }
}

void RowScanner::begin(Row* row) const {
  row->place = place_;
  row->place.length = 0;
  row->text.clear();
  row->too_long = false;
}

void RowScanner::append(Row* row, const char* bytes, std::size_t count) const {
  const std::size_t room = max_row_bytes_ - std::min(max_row_bytes_, row->text.size());
  row->text.append(bytes, std::min(room, count));
  row->too_long = row->too_long || count > room;
  row->place.length += count;
}

bool RowScanner::next_line(Row* row) {
  if (place_.offset >= range_end_ || peek() == kEnd) {
    return false;
  }
  begin(row);
  bool ended = false;
  while (!ended && peek() != kEnd) {
    const char* const start = buffer_.data() + at_;
    const auto* newline = static_cast<const char*>(std::memchr(start, '\n', end_ - at_));
    ended = newline != nullptr;
    const std::size_t count = ended ? static_cast<std::size_t>(newline - start) : end_ - at_;
    append(row, start, count);
    at_ += count + (ended ? 1 : 0);
    place_.offset += count + (ended ? 1 : 0);
  }
  ++place_.line;
  place_.column = 1;
  if (!row->too_long && !row->text.empty() && row->text.back() == '\r') {
    row->text.pop_back();
    --row->place.length;
  }
  return true;
}

bool RowScanner::starts_json_array() {
  // Blanks before '[' would have to be taken back where no array follows: only lines without
  // content are skipped, which next_line's callers skip too.
  skip_blanks();
  return peek() == '[';
}

bool RowScanner::next_array_element(Row* row) {
  const bool first = !in_array_;
  if (first) {
    advance();
    in_array_ = true;
  }
  skip_blanks();
  if (peek() == ']') {
    advance();
    skip_blanks();
    if (peek() != kEnd) {
      fail("something follows the end of the JSON array");
    }
    return false;
  }
  if (!first) {
    if (peek() != ',') {
      fail("expected ',' or ']' after an element of the JSON array");
    }
    advance();
    skip_blanks();
  }
  begin(row);
  scan_element(row);
  return true;
}

// Only brackets and strings are followed; whether the element is JSON is its parser's business.
void RowScanner::scan_element(Row* row) {
  std::size_t depth = 0;
  bool in_string = false;
  bool escaped = false;
  for (int c = peek();; c = peek()) {
    if (c == kEnd) {
      fail("the file ends inside a JSON array");
    }
    if (in_string) {
      in_string = escaped || c != '"';
      escaped = !escaped && c == '\\';
    } else if (depth == 0 && (c == ',' || c == ']')) {
      break;
    } else {
      in_string = c == '"';
      depth += c == '{' || c == '[' ? 1 : 0;
      depth -= depth > 0 && (c == '}' || c == ']') ? 1 : 0;
    }
    const char byte = static_cast<char>(c);
    append(row, &byte, 1);
    advance();
  }
  while (!row->too_long && !row->text.empty() && is_blank(row->text.back())) {
    row->text.pop_back();
    --row->place.length;
  }
  if (row->place.length == 0) {
    fail("an element of the JSON array is missing");
  }
}

void RowScanner::fail(const std::string& message) const {
  throw_bad_data(where(file_.path(), place_), message);
}

}  // namespace rallrec::io
