#include <gtest/gtest.h>

#include "io/npy.h"
#include "tests/io/npy_bytes.h"
#include "tests/support/malformed.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_refused;
using rallrec::testing::Malformed;
using testing::with_header;

const std::string kOneFloat(4, '\0');

// One float under this header.
std::string one(const std::string& literal) { return with_header(literal, kOneFloat); }
std::string typed(const std::string& type) {
  return one("{'descr': '" + type + "', 'fortran_order': False, 'shape': (1,), }");
}
std::string shaped(const std::string& shape) {
  return one("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }");
}

std::vector<Malformed> size_cases() {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  return {
      {"empty", "", "does not start with"},
      {"an .npz archive", "PK\x03\x04 zipped archive", "does not start with"},
      {"text of numbers", "0.1 0.2\n0.3 0.4\n", "does not start with"},
      {"format 4", std::string("\x93NUMPY\x04\0\0\0\0\0", 12), "format 4.0 is not known"},
      {"format 1.1", std::string("\x93NUMPY\x01\x01\0\0\0\0", 12), "format 1.1 is not known"},
      {"no data", with_header(good, ""), "promises 4 bytes of data, the file holds 0"},
      {"data cut off", with_header(good, "123"), "promises 4 bytes of data, the file holds 3"},
      {"data too long", with_header(good, kOneFloat + "x"), "promises 4 bytes of data, the file"},
      {"header cut off", one(good).substr(0, 30), "was cut off"},
      {"huge header", std::string("\x93NUMPY\x02\0\xff\xff\xff\x7f", 12),
       "header of 2147483647 bytes"},
  };
}

std::vector<Malformed> header_cases() {
  return {
      {"big endian", typed(">f4"), "'>f4' is not"},
      {"Python objects", typed("|O"), "'|O' is not"},
      {"half precision", typed("<f2"), "'<f2' is not"},
      {"texts", typed("<U8"), "'<U8' is not"},
      {"true and false", typed("|b1"), "'|b1' is not"},
      {"a record type", one("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
       "expected a quoted word at character 10"},
      {"column order", one("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }"),
       "only C order"},
      {"no shape", one("{'descr': '<f4', 'fortran_order': False}"), "must all be there"},
      {"key twice", one("{'descr': '<f4', 'descr': '<f4', 'shape': ()}"), "'descr' appears twice"},
      {"unknown key", one("{'descr': '<f4', 'evil': 1}"), "unknown key 'evil'"},
      {"quote lost", one("{'descr': '<f4, 'shape': ()}"), ".npy header: dtype '<f4, ' is not read"},
      {"cut in a key", one("{'descr"), "a quote is not closed at character 1"},
      {"text behind it", one("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }x"),
       "something follows the dictionary at character 57"},
      {"a list", one("[]"), "expected '{'"},
      {"NUL padding",
       one(std::string("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\0", 56)),
       "something follows the dictionary"},
  };
}

std::vector<Malformed> shape_cases() {
  return {
      {"no tuple", shaped("(1)"), "a tuple of one is written (n,)"},
      {"a list", shaped("[1]"), "expected '('"},
      {"negative", shaped("(-1,)"), "expected a non-negative integer"},
      {"fraction", shaped("(1.0,)"), ".npy header: "},
      {"above 64 bits", shaped("(99999999999999999999,)"), "a dimension is too large"},
      {"product overflows", shaped("(4611686018427387904, 4)"), "size overflows"},
      {"nine dimensions", shaped("(1,1,1,1,1,1,1,1,1)"), "more than 8 dimensions"},
      {"more than there is", shaped("(1000000, 1000000)"), "promises 4000000000000 bytes of data"},
  };
}

TEST(NpyMalformed, Sizes) { expect_refused("a.npy", size_cases(), 10, read_npy); }
TEST(NpyMalformed, Headers) { expect_refused("a.npy", header_cases(), 15, read_npy); }
TEST(NpyMalformed, Shapes) { expect_refused("a.npy", shape_cases(), 8, read_npy); }

}  // namespace
}  // namespace rallrec::io
