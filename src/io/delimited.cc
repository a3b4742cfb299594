#include "io/delimited.h"

#include <charconv>
#include <cmath>

#include "core/check.h"
#include "core/error.h"
#include "io/utf8.h"

namespace rallrec::io {
namespace {

// Before the first row the scanner has taken it.
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

// Decodes and splits rows; buffers of the row are reused from one to the next.
class RowSplitter {
 public:
  RowSplitter(std::string path, const DelimitedOptions& options) : options_(options) {
    row_.path_ = std::move(path);
  }

  Row& source() { return row_.row_; }
  const DelimitedRow& row() const { return row_; }

  // Joins the lines of a row whose quoted field runs over line ends; then checks, decodes and
  // splits.
  void split(RowScanner& scanner) {
    check_and_decode();
    while (!split_fields()) {
      Row next;
      if (!options_.quoted_line_ends || row_.row_.too_long || !scanner.next_line(&next)) {
        throw_bad_data(io::where(row_.path_, row_.row_, row_.starts_.back()),
                       "a quoted field is not closed");
      }
      row_.row_.text += "\n" + next.text;
      row_.row_.too_long = next.too_long || row_.row_.text.size() > options_.max_row_bytes;
      check_and_decode();
    }
    if (options_.fields != 0 && row_.size() != options_.fields) {
      throw_bad_data(io::where(row_.path_, row_.row_.place),
                     "expected " + std::to_string(options_.fields) + " fields, found " +
                         std::to_string(row_.size()));
    }
  }

 private:
  void check_and_decode() {
    const std::string& text = row_.row_.text;
    if (row_.row_.too_long) {
      throw_bad_data(io::where(row_.path_, row_.row_.place),
                     "the row is longer than " + std::to_string(options_.max_row_bytes) + " bytes");
    }
    if (const std::size_t nul = text.find('\0'); nul != std::string::npos) {
      throw_bad_data(io::where(row_.path_, row_.row_, nul), "a NUL byte is not allowed in text");
    }
    if (options_.encoding != Encoding::kUtf8) {
      const bool latin1 = options_.encoding == Encoding::kLatin1;
      row_.decoded_ = latin1 ? latin1_to_utf8(text) : windows1252_to_utf8(text);
      return;
    }
    if (const std::size_t bad = find_invalid_utf8(text); bad != std::string::npos) {
      throw_bad_data(io::where(row_.path_, row_.row_, bad),
                     "not valid UTF-8; is the file in another encoding?");
    }
    if (text.compare(0, kByteOrderMark.size(), kByteOrderMark) == 0) {
      throw_bad_data(io::where(row_.path_, row_.row_, 0),
                     "a byte order mark inside the file; were two files joined?");
    }
    row_.decoded_ = text;
  }

  // False where the last quoted field is not closed.
  bool split_fields() {
    row_.fields_.clear();
    row_.starts_.clear();
    row_.unquoted_.clear();
    // Fields that lose their quotes are views into this buffer, which therefore must not move.
    row_.unquoted_.reserve(row_.decoded_.size());
    const std::string_view text = row_.decoded_;
    std::size_t at = 0;
    while (true) {
      row_.starts_.push_back(at);
      const bool in_quotes = at < text.size() && text[at] == '"';
      if (options_.quotes == Quotes::kText || !in_quotes) {
        const std::size_t end = std::min(text.find(options_.separator, at), text.size());
        row_.fields_.push_back(text.substr(at, end - at));
        at = end;
      } else if (!(options_.quotes == Quotes::kLoose ? take_loose(text, &at)
                                                     : take_quoted(text, &at))) {
        return false;
      }
      if (at == text.size()) {
        return true;
      }
      at += options_.separator.size();
    }
  }

  // Moves `at` behind the closing quote.
  bool take_quoted(std::string_view text, std::size_t* at) {
    std::string& out = row_.unquoted_;
    const std::size_t begin = out.size();
    std::size_t i = *at + 1;
    while (true) {
      const std::size_t quote = text.find('"', i);
      if (quote == std::string_view::npos) {
        return false;
      }
      out.append(text.substr(i, quote - i));
      i = quote + 1;
      if (i >= text.size() || text[i] != '"') {
        break;
      }
      out += '"';
      ++i;
    }
    if (i != text.size() && text.substr(i, options_.separator.size()) != options_.separator) {
      throw_bad_data(io::where(row_.path_, row_.row_, i),
                     "expected '" + options_.separator + "' after a closing quote");
    }
    row_.fields_.push_back(std::string_view(out).substr(begin));
    *at = i;
    return true;
  }

  // Whether a field in quotes may end before text[at].
  bool ends_before(std::string_view text, std::size_t at) const {
    if (at == text.size()) return true;
    if (text.substr(at, options_.separator.size()) != options_.separator) return false;
    const std::string_view next = text.substr(at + options_.separator.size());
    return next.substr(0, 1) == "\"" || next == "NULL" ||
           next.substr(0, 4 + options_.separator.size()) == "NULL" + options_.separator;
  }

  // Moves `at` behind the closing quote.
  bool take_loose(std::string_view text, std::size_t* at) {
    std::string& out = row_.unquoted_;
    const std::size_t begin = out.size();
    std::size_t i = *at + 1;
    for (; i < text.size() && !(text[i] == '"' && ends_before(text, i + 1)); ++i) {
      const bool escaped =
          text[i] == '\\' && text.substr(i + 1, 1) == "\"" && !ends_before(text, i + 2);
      if (!escaped) out += text[i];
    }
    if (i == text.size()) return false;
    row_.fields_.push_back(std::string_view(out).substr(begin));
    *at = i + 1;
    return true;
  }

  const DelimitedOptions& options_;
  DelimitedRow row_;
};

std::string DelimitedRow::where(std::size_t i) const {
  return io::where(path_, row_, i < starts_.size() ? starts_[i] : row_.text.size());
}

void DelimitedRow::fail(std::size_t i, const std::string& message) const {
  throw_bad_data(where(i), message);
}

std::string_view DelimitedRow::get_text(std::size_t i, std::string_view name) const {
  if (i >= fields_.size()) {
    fail(i, std::string(name) + ": the row has only " + std::to_string(size()) + " fields");
  }
  return fields_[i];
}

std::int64_t DelimitedRow::get_int(std::size_t i, std::string_view name) const {
  const std::string_view text = get_text(i, name);
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    fail(i, std::string(name) + ": expected an integer of 64 bits, found " + shown(text));
  }
  return value;
}

double DelimitedRow::get_number(std::size_t i, std::string_view name) const {
  const std::string_view text = get_text(i, name);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() ||
      !std::isfinite(value)) {
    fail(i, std::string(name) + ": expected a number, found " + shown(text));
  }
  return value;
}

namespace {

// Whether the bad rows kept so far end the visit.
bool is_full(const DelimitedOptions& options) {
  const std::vector<BadRow>* const kept = options.kept_bad_rows;
  return kept != nullptr && !kept->empty() &&
         (static_cast<std::int64_t>(kept->size()) > options.bad_rows.max_bad_rows ||
          kept->back().error.code() != ExitCode::kBadData);
}

}  // namespace

RowCounts for_each_row(const std::string& path, const DelimitedOptions& options,
                       const RowVisitor& visit) {
  RALLREC_CHECK(!options.separator.empty(), "an empty separator");
  RALLREC_CHECK(!options.quoted_line_ends || options.range.begin == 0,
                "a row that runs over line ends cannot be found in the middle of a file");
  const InputFile file(path);
  RowScanner scanner(file, options.max_row_bytes, options.range);
  RowSplitter splitter(path, options);
  BadRows bad_rows(options.bad_rows);
  std::int64_t visited = 0;
  while (!is_full(options) && scanner.next_line(&splitter.source())) {
    if (splitter.source().text.empty()) {
      continue;
    }
    try {
      splitter.split(scanner);
      visit(splitter.row());
      ++visited;
    } catch (const Error& error) {
      if (options.kept_bad_rows != nullptr) {
        options.kept_bad_rows->push_back({error, splitter.source().text});
      } else {
        bad_rows.reject(error, splitter.source().text);
      }
    }
  }
  bad_rows.finish();
  return {visited, bad_rows.count()};
}

}  // namespace rallrec::io
