#include "io/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <numeric>

#include "tests/io/safetensors_files.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;
using testing::entry;
using testing::safetensors_bytes;

template <typename T>
std::vector<T> values_of(const SafetensorsFile& file, const std::string& name) {
  const TensorInfo& tensor = file.get(name);
  EXPECT_EQ((tensor.end - tensor.begin) % sizeof(T), 0u);
  std::vector<T> values((tensor.end - tensor.begin) / sizeof(T));
  file.read(tensor, values.data());
  return values;
}

const std::string kGolden = std::string(RALLREC_SOURCE_DIR) + "/tests/golden/safetensors.bin";

TEST(Safetensors, ReadsWhatTheReferenceWrites) {
  const SafetensorsFile file(kGolden);
  EXPECT_EQ(file.tensors().size(), 12u);
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  EXPECT_EQ(values_of<double>(file, "double"), (std::vector<double>{1.5, -2.25}));
  EXPECT_EQ(values_of<float>(file, "float"), (std::vector<float>{0, 0.25, 0.5, 0.75, 1, 1.25}));
  EXPECT_EQ(file.get("float").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(values_of<std::int64_t>(file, "long"),
            (std::vector<std::int64_t>{INT64_MIN, INT64_MAX}));
  EXPECT_EQ(values_of<std::int32_t>(file, "int"), std::vector<std::int32_t>{7});
  EXPECT_EQ(values_of<std::int16_t>(file, "short"), std::vector<std::int16_t>{-3});
  EXPECT_EQ(values_of<std::int8_t>(file, "byte"), (std::vector<std::int8_t>{-128, 127}));
  EXPECT_EQ(values_of<std::uint8_t>(file, "unsigned"), (std::vector<std::uint8_t>{0, 255, 9}));
  EXPECT_EQ(values_of<std::uint8_t>(file, "flag"), (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(file.get("flag").type, TensorType::kBool);
  EXPECT_EQ(file.get("empty").shape, (std::vector<std::int64_t>{0, 4}));
  EXPECT_EQ(values_of<float>(file, "scalar"), std::vector<float>{2.5});
  EXPECT_TRUE(file.get("scalar").shape.empty());
  EXPECT_NE(file.find("n\xC3\xA4me \"quoted\""), nullptr);
  EXPECT_EQ(file.find("nothing"), nullptr);
  expect_error(ExitCode::kBadData, "tensor 'nothing' is missing", [&] { file.get("nothing"); });
  std::vector<std::uint16_t> half = values_of<std::uint16_t>(file, "half");
  std::vector<float> wide(half.size());
  widen_to_float(TensorType::kF16, half.data(), half.size(), wide.data());
  EXPECT_EQ(wide, (std::vector<float>{1, -0.5, 65504, 0x1p-24F, INFINITY}));
}

TEST(Safetensors, WritesTheBytesOfTheReference) {
  const TemporaryFolder folder;
  const SafetensorsFile golden(kGolden);
  std::vector<std::vector<char>> data;
  std::vector<TensorToWrite> tensors;
  for (const TensorInfo& tensor : golden.tensors()) {
    data.emplace_back(tensor.end - tensor.begin);
    golden.read(tensor, data.back().data());
    tensors.push_back({tensor.name, tensor.type, tensor.shape, data.back().data()});
  }
  std::reverse(tensors.begin(), tensors.end());
  write_safetensors(folder.file("out"), tensors, golden.metadata());
  std::ifstream stream(kGolden, std::ios::binary);
  const std::string expected{std::istreambuf_iterator<char>(stream),
                             std::istreambuf_iterator<char>()};
  EXPECT_EQ(folder.get("out"), expected);
}

TEST(Safetensors, ReadsRows) {
  const TemporaryFolder folder;
  std::vector<float> values(7 * 3 * 2);
  std::iota(values.begin(), values.end(), 0.0F);
  write_safetensors(folder.file("a"), {{"w", TensorType::kF32, {7, 3, 2}, values.data()}});
  const SafetensorsFile file(folder.file("a"));
  const TensorInfo& tensor = file.get("w");
  for (std::int64_t first = 0; first <= 7; ++first) {
    for (std::int64_t rows = 0; rows <= 7 - first; ++rows) {
      std::vector<float> out(static_cast<std::size_t>(rows * 6) + 1, -1);
      file.read_rows(tensor, first, rows, out.data());
      for (std::int64_t i = 0; i < rows * 6; ++i) {
        ASSERT_EQ(out[static_cast<std::size_t>(i)], static_cast<float>(first * 6 + i));
      }
      EXPECT_EQ(out.back(), -1);
    }
  }
  expect_error(ExitCode::kInternal, "rows out of range",
               [&] { file.read_rows(tensor, 5, 3, nullptr); });
  expect_error(ExitCode::kInternal, "rows out of range",
               [&] { file.read_rows(tensor, -1, 1, nullptr); });
}

TEST(Safetensors, ProducedTensorsAndEmptyFiles) {
  const TemporaryFolder folder;
  write_safetensors(folder.file("none"), {});
  EXPECT_TRUE(SafetensorsFile(folder.file("none")).tensors().empty());
  const auto produce = [](const std::function<void(const void*, std::size_t)>& sink) {
    for (std::int32_t i = 0; i < 5; ++i) {
      sink(&i, sizeof(i));
    }
  };
  write_safetensors(folder.file("p"), {{"p", TensorType::kI32, {5}, nullptr, produce}});
  EXPECT_EQ(values_of<std::int32_t>(SafetensorsFile(folder.file("p")), "p"),
            (std::vector<std::int32_t>{0, 1, 2, 3, 4}));
  expect_error(ExitCode::kInternal, "produced 20 bytes of 24", [&] {
    write_safetensors(folder.file("q"), {{"q", TensorType::kI32, {6}, nullptr, produce}});
  });
  EXPECT_EQ(folder.entries(), 2u);
}

TEST(Safetensors, ZeroSizeTensorsMayShareAnOffset) {
  const TemporaryFolder folder;
  const std::string header = "{\"c\":" + entry("U8", "[1]", "[0,1]") +
                             ",\"a\":" + entry("F32", "[0]", "[0,0]") +
                             ",\"b\":" + entry("F32", "[3,0]", "[0,0]") +
                             ",\"d\":" + entry("I64", "[0]", "[1,1]") + "}   ";
  const SafetensorsFile file(folder.put("z", safetensors_bytes(header, "x")));
  EXPECT_EQ(file.tensors().size(), 4u);
  EXPECT_EQ(values_of<char>(file, "c"), std::vector<char>{'x'});
  EXPECT_TRUE(values_of<float>(file, "b").empty());
  file.read_rows(file.get("b"), 0, 3, nullptr);
}

TEST(Safetensors, AFileThatShrinksIsAnError) {
  const TemporaryFolder folder;
  const std::vector<float> values(1000);
  write_safetensors(folder.file("a"), {{"w", TensorType::kF32, {1000}, values.data()}});
  const SafetensorsFile file(folder.file("a"));
  std::filesystem::resize_file(folder.file("a"), 1000);
  std::vector<float> out(1000);
  expect_error(ExitCode::kBadData, "was cut off", [&] { file.read(file.get("w"), out.data()); });
}

TEST(TensorType, WidensEveryHalfAndBfloat) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto narrow = static_cast<std::uint16_t>(bits);
    float half = 0;
    float bfloat = 0;
    widen_to_float(TensorType::kF16, &narrow, 1, &half);
    widen_to_float(TensorType::kBf16, &narrow, 1, &bfloat);
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    const auto value = [&](int exponent, int max, int bias, int mantissa, int width) {
      const double fraction = std::ldexp(mantissa, -width);
      if (exponent == max) return mantissa == 0 ? sign * INFINITY : NAN;
      return exponent == 0 ? sign * std::ldexp(fraction, 1 - bias)
                           : sign * std::ldexp(1 + fraction, exponent - bias);
    };
    const double expected_half = value(bits >> 10 & 31, 31, 15, bits & 1023, 10);
    const double expected_bfloat = value(bits >> 7 & 255, 255, 127, bits & 127, 7);
    if (std::isnan(expected_half)) {
      EXPECT_TRUE(std::isnan(half));
    } else {
      EXPECT_EQ(half, expected_half) << bits;
      EXPECT_EQ(std::signbit(half), sign < 0);
    }
    if (std::isnan(expected_bfloat)) {
      EXPECT_TRUE(std::isnan(bfloat));
    } else {
      EXPECT_EQ(bfloat, expected_bfloat) << bits;
    }
  }
}

class FolderTest : public ::testing::Test {
 protected:
  void put_shard(const std::string& name, const std::string& tensor, float value) {
    const std::vector<float> values = {value, value + 1, value + 2, value + 3};
    write_safetensors(folder_.file(name), {{tensor, TensorType::kF32, {2, 2}, values.data()}});
  }
  void put_index(const std::string& map, const std::string& metadata = R"({"total_size": 32})") {
    folder_.put("model.safetensors.index.json",
                "{\"metadata\": " + metadata + ", \"weight_map\": {" + map + "}}");
  }
  void expect_refused(ExitCode code, const std::string& text) {
    expect_error(code, text, [&] { SafetensorsFolder folder(folder_.path()); });
  }
  TemporaryFolder folder_;
};

TEST_F(FolderTest, SingleFile) {
  put_shard("model.safetensors", "w", 1);
  const SafetensorsFolder folder(folder_.path());
  EXPECT_EQ(folder.names(), std::vector<std::string>{"w"});
  std::vector<float> row(2);
  folder.read_rows("w", 1, 1, row.data());
  EXPECT_EQ(row, (std::vector<float>{3, 4}));
  EXPECT_EQ(folder.find("v"), nullptr);
  expect_error(ExitCode::kBadData, "tensor 'v' is missing", [&] { folder.get("v"); });
}

TEST_F(FolderTest, Shards) {
  put_shard("one.safetensors", "a", 1);
  put_shard("two.safetensors", "b", 10);
  put_index(R"("b": "two.safetensors", "a": "one.safetensors")");
  const SafetensorsFolder folder(folder_.path());
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(folder.paths().size(), 2u);
  EXPECT_TRUE(folder.warnings().empty());
  std::vector<float> values(4);
  folder.read_rows_as_float("b", 0, 2, values.data());
  EXPECT_EQ(values, (std::vector<float>{10, 11, 12, 13}));
}

TEST_F(FolderTest, AWrongTotalSizeIsAWarning) {
  put_shard("one.safetensors", "a", 1);
  for (const char* metadata : {"{\"total_size\": 17}", "{\"total_size\": \"x\"}"}) {
    put_index(R"("a": "one.safetensors")", metadata);
    EXPECT_EQ(SafetensorsFolder(folder_.path()).warnings().size(), 1u);
  }
  put_index(R"("a": "one.safetensors")", "{}");
  EXPECT_TRUE(SafetensorsFolder(folder_.path()).warnings().empty());
}

TEST_F(FolderTest, LinksMustStayInside) {
  const TemporaryFolder elsewhere;
  const std::vector<float> values(4);
  write_safetensors(elsewhere.file("one"), {{"a", TensorType::kF32, {2, 2}, values.data()}});
  std::filesystem::create_symlink(elsewhere.file("one"), folder_.file("one.safetensors"));
  put_index(R"("a": "one.safetensors")");
  expect_refused(ExitCode::kBadData, "is a link out of the model folder");
  // The layout of the Hugging Face cache.
  const std::filesystem::path cache = folder_.file("cache");
  std::filesystem::create_directories(cache / "blobs");
  std::filesystem::create_directories(cache / "snapshots/abc");
  std::filesystem::copy(elsewhere.file("one"), cache / "blobs/0123");
  std::filesystem::create_symlink("../../blobs/0123", cache / "snapshots/abc/one.safetensors");
  std::filesystem::copy(folder_.file("model.safetensors.index.json"),
                        cache / "snapshots/abc/model.safetensors.index.json");
  EXPECT_EQ(SafetensorsFolder((cache / "snapshots/abc").string()).names().size(), 1u);
}

TEST_F(FolderTest, MissingThings) {
  expect_refused(ExitCode::kMissingInput, "holds neither model.safetensors");
  expect_error(ExitCode::kMissingInput, "no such model folder",
               [&] { SafetensorsFolder folder(folder_.file("none")); });
  folder_.put("f", "");
  expect_error(ExitCode::kBadData, "is a file",
               [&] { SafetensorsFolder folder(folder_.file("f")); });
}

TEST_F(FolderTest, OnlyFloatsAreWidened) {
  const std::int8_t bytes[2] = {1, 2};
  const std::uint16_t bf16[2] = {0x3F80, 0xC000};
  write_safetensors(folder_.file("model.safetensors"),
                    {{"i", TensorType::kI8, {2}, bytes}, {"h", TensorType::kBf16, {2}, bf16}});
  const SafetensorsFolder folder(folder_.path());
  std::vector<float> out(2);
  folder.read_rows_as_float("h", 0, 2, out.data());
  EXPECT_EQ(out, (std::vector<float>{1, -2}));
  expect_error(ExitCode::kBadData, "tensor 'i' is I8; F32, F16 or BF16",
               [&] { folder.read_rows_as_float("i", 0, 2, out.data()); });
}

}  // namespace
}  // namespace rallrec::io
