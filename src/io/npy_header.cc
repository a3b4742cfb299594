#include "io/npy_header.h"

#include <array>

#include "core/error.h"
#include "io/utf8.h"

namespace rallrec::io {
namespace {

constexpr std::size_t kMaxRank = 8;

struct TypeName {
  const char* name;
  NpyType type;
};
constexpr std::array<TypeName, 4> kTypeNames = {{{"<f4", NpyType::kFloat32},
                                                 {"<f8", NpyType::kFloat64},
                                                 {"<i4", NpyType::kInt32},
                                                 {"<i8", NpyType::kInt64}}};

// A cursor over the literal. Every method skips leading blanks.
class Cursor {
 public:
  Cursor(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  bool accept(std::string_view token) {
    skip_blanks();
    if (text_.substr(at_, token.size()) != token) {
      return false;
    }
    at_ += token.size();
    return true;
  }

  void expect(std::string_view token) {
    if (!accept(token)) {
      fail("expected '" + std::string(token) + "'");
    }
  }

  std::string quoted() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') {
      fail("expected a quoted word");
    }
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) {
      fail("a quote is not closed");
    }
    std::string word(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return word;
  }

  std::int64_t dimension() {
    skip_blanks();
    std::int64_t value = 0;
    const std::size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, text_[at_] - '0', &value)) {
        fail("a dimension is too large");
      }
    }
    if (at_ == begin) {
      fail("expected a non-negative integer");
    }
    return value;
  }

  void expect_end() {
    skip_blanks();
    if (at_ != text_.size()) {
      fail("something follows the dictionary");
    }
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw_bad_data(path_, ".npy header: " + message + " at character " + std::to_string(at_));
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) {
      ++at_;
    }
  }

  const std::string& path_;
  std::string_view text_;
  std::size_t at_ = 0;
};

std::vector<std::int64_t> parse_shape(Cursor& cursor) {
  std::vector<std::int64_t> shape;
  cursor.expect("(");
  while (!cursor.accept(")")) {
    if (shape.size() == kMaxRank) {
      cursor.fail("more than 8 dimensions");
    }
    shape.push_back(cursor.dimension());
    if (!cursor.accept(",")) {
      if (shape.size() == 1) {
        cursor.fail("expected ',': a tuple of one is written (n,)");
      }
      cursor.expect(")");
      break;
    }
  }
  return shape;
}

NpyType parse_type(Cursor& cursor) {
  const std::string name = cursor.quoted();
  for (const TypeName& entry : kTypeNames) {
    if (name == entry.name) {
      return entry.type;
    }
  }
  cursor.fail("dtype '" + name +
              "' is not read; save as float32, float64, int32 or int64, little "
              "endian");
}

std::uint64_t checked_bytes(Cursor& cursor, const NpyHeader& header) {
  std::uint64_t bytes = size_of(header.type);
  for (const std::int64_t dimension : header.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes)) {
      cursor.fail("the shape's size overflows");
    }
  }
  return bytes;
}

}  // namespace

NpyHeader parse_npy_header(const std::string& path, std::string_view text) {
  Cursor cursor(path, text);
  NpyHeader header;
  unsigned seen = 0;
  const auto mark = [&](unsigned bit, const std::string& key) {
    if ((seen & bit) != 0) {
      cursor.fail("key '" + key + "' appears twice");
    }
    seen |= bit;
  };
  cursor.expect("{");
  while (!cursor.accept("}")) {
    const std::string key = cursor.quoted();
    cursor.expect(":");
    if (key == "descr") {
      mark(1, key);
      header.type = parse_type(cursor);
    } else if (key == "fortran_order") {
      mark(2, key);
      if (!cursor.accept("False")) {
        cursor.fail("only C order is read; save numpy.ascontiguousarray(x)");
      }
    } else if (key == "shape") {
      mark(4, key);
      header.shape = parse_shape(cursor);
    } else {
      cursor.fail("unknown key " + shown(key));
    }
    if (!cursor.accept(",")) {
      cursor.expect("}");
      break;
    }
  }
  cursor.expect_end();
  if (seen != 7) {
    cursor.fail("descr, fortran_order and shape must all be there");
  }
  header.data_bytes = checked_bytes(cursor, header);
  return header;
}

std::string format_npy_header(NpyType type, const std::vector<std::int64_t>& shape) {
  std::string text = "{'descr': '";
  for (const TypeName& entry : kTypeNames) {
    text += entry.type == type ? entry.name : "";
  }
  text += "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  text += shape.size() == 1 ? ",), }" : "), }";
  return text;
}

}  // namespace rallrec::io
