#include "io/npy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/io/npy_bytes.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;
using testing::with_header;

// numpy.save of numpy.array([[1, 2, 3], [4, 5, 6]], dtype="<i4"), as NumPy 2 wrote it.
TEST(Npy, WritesTheBytesThatNumPyWrites) {
  const TemporaryFolder folder;
  const std::int32_t values[] = {1, 2, 3, 4, 5, 6};
  write_npy(folder.file("a.npy"), values, {2, 3});
  const std::string literal = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }";
  const std::string padded = literal + std::string(117 - literal.size(), ' ') + "\n";
  const std::string data(reinterpret_cast<const char*>(values), sizeof(values));
  EXPECT_EQ(folder.get("a.npy"), with_header(padded, data));
}

template <typename T>
class NpyRoundTrip : public ::testing::Test {};
using Types = ::testing::Types<float, double, std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(NpyRoundTrip, Types);

TYPED_TEST(NpyRoundTrip, AnyShape) {
  const TemporaryFolder folder;
  const std::vector<std::vector<std::int64_t>> shapes = {{},     {0},    {1},      {7},
                                                         {3, 0}, {3, 5}, {2, 3, 4}};
  for (const auto& shape : shapes) {
    std::int64_t count = 1;
    for (const std::int64_t dimension : shape) {
      count *= dimension;
    }
    std::vector<TypeParam> values;
    for (std::int64_t i = 0; i < count; ++i) {
      values.push_back(static_cast<TypeParam>(i * 3 - 4));
    }
    write_npy(folder.file("a.npy"), values.data(), shape);
    const NpyArray array = read_npy(folder.file("a.npy"));
    EXPECT_EQ(array.shape, shape);
    EXPECT_EQ(array.count(), count);
    EXPECT_EQ(array.to_float(), std::vector<float>(values.begin(), values.end()));
  }
}

TEST(Npy, ReadsFormats2And3AndAnyKeyOrder) {
  const TemporaryFolder folder;
  const std::string literal = "{\"shape\": (1,), 'fortran_order': False, 'descr': '<i8'}\n";
  const std::string data("\x05\0\0\0\0\0\0\0", 8);
  for (const char version : {1, 2, 3}) {
    const NpyArray array = read_npy(folder.put("a.npy", with_header(literal, data, version)));
    EXPECT_EQ(array.to_int64("a"), std::vector<std::int64_t>{5});
  }
}

TEST(Npy, MatrixMustBeTwoDimensionalAndFinite) {
  const TemporaryFolder folder;
  const float values[] = {1, 2, std::numeric_limits<float>::quiet_NaN(), 4};
  write_npy(folder.file("a.npy"), values, {2, 2});
  expect_error(ExitCode::kBadData, "row 1, column 0 is not a finite",
               [&] { read_npy_matrix(folder.file("a.npy")); });
  write_npy(folder.file("a.npy"), values, {4});
  expect_error(ExitCode::kBadData, "has 1 dimensions",
               [&] { read_npy_matrix(folder.file("a.npy")); });
  const double big[] = {1e300, 0};
  write_npy(folder.file("a.npy"), big, {1, 2});
  expect_error(ExitCode::kBadData, "row 0, column 0 is not a finite",
               [&] { read_npy_matrix(folder.file("a.npy")); });
}

}  // namespace
}  // namespace rallrec::io
