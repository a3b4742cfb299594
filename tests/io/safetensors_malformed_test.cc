#include <gtest/gtest.h>

#include <limits>

#include "core/rng.h"
#include "io/safetensors.h"
#include "tests/io/safetensors_files.h"
#include "tests/support/expect_error.h"
#include "tests/support/malformed.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::expect_refused;
using rallrec::testing::Malformed;
using rallrec::testing::TemporaryFolder;
using testing::entry;
using testing::safetensors_bytes;

// A file whose only tensor is a[1] of U8, with this dictionary.
std::string one(const std::string& dictionary) {
  return safetensors_bytes("{\"a\":" + dictionary + "}", "x");
}
std::string header(const std::string& text, const std::string& data = "x") {
  return safetensors_bytes(text, data);
}
std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + rest;
}

const std::string kGood = R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
// 1 byte each, at 0 and 1.
std::string two(const std::string& first, const std::string& second) {
  return "{\"a\":" + entry("U8", "[1]", first) + ",\"b\":" + entry("U8", "[1]", second) + "}";
}

std::vector<Malformed> length_cases() {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  return {
      {"empty file", "", "not a safetensors file: 0 bytes"},
      {"seven bytes", "1234567", "7 bytes are fewer than the 8"},
      {"length alone", with_length(2, ""), "claims 2 bytes, the file holds 0"},
      {"lying length", with_length(1000, "{}"), "claims 1000 bytes, the file holds 2"},
      {"largest length", with_length(kMax, "{}"), "claims 18446744073709551615 bytes"},
      {"length that overflows", with_length(kMax - 7, "{}"), "not a safetensors file, or cut off"},
      {"text file", "hello, this is not it", "not a safetensors file, or cut off"},
      {"no header", with_length(0, ""), "must start with '{'"},
      {"length one short", with_length(1, "{}"), "safetensors header"},
  };
}

std::vector<Malformed> json_cases() {
  return {
      {"leading space", header(" {}", ""), "must start with '{'"},
      {"byte order mark", header("\xEF\xBB\xBF{}", ""), "must start with '{'"},
      {"array", header("[]", ""), "must start with '{'"},
      {"string", header("\"a\"", ""), "must start with '{'"},
      {"newline padding", header("{}\n", ""), "only spaces may follow"},
      {"NUL padding", header(std::string("{}\0", 3), ""), "only spaces may follow"},
      {"not closed", header("{", ""), "only spaces may follow"},
      {"two objects", header("{} {}", ""), "not valid JSON at byte 4"},
      {"trailing comma", header("{\"a\":" + kGood + ",}"), "not valid JSON"},
      {"comment", header("{/**/}", ""), "not valid JSON"},
      {"single quotes", header("{'a':1}"), "not valid JSON"},
      {"bad UTF-8 in a name", header("{\"\xFF\":" + kGood + "}"), "not valid JSON"},
      {"overlong UTF-8", header("{\"\xC0\xAF\":" + kGood + "}"), "not valid JSON"},
      {"lone surrogate", header("{\"\\ud800\":" + kGood + "}"), "not valid JSON"},
      {"raw control character", header("{\"a\nb\":" + kGood + "}"), "not valid JSON"},
      {"NaN", header("{\"a\":NaN}"), "not valid JSON"},
      {"deep nesting", header("{\"a\":" + std::string(1000000, '[') + "}"),
       "key 'a': expected an object, found an array"},
      {"tensor is null", header("{\"a\":null}"), "expected an object, found null"},
      {"tensor is a number", header("{\"a\":1}"), "expected an object, found the number 1"},
      {"tensor is true", header("{\"a\":true}"), "expected an object, found true or false"},
      {"tensor is a string", header("{\"a\":\"b\"}"), "expected an object, found the string 'b'"},
  };
}

std::vector<Malformed> name_and_metadata_cases() {
  const std::string long_name(513, 'n');
  return {
      {"empty name", header("{\"\":" + kGood + "}"), "expected 1 to 512 bytes"},
      {"long name", header("{\"" + long_name + "\":" + kGood + "}"), "expected 1 to 512 bytes"},
      {"NUL in a name", header("{\"a\\u0000b\":" + kGood + "}"), "without NUL"},
      {"same name twice", header("{\"a\":" + kGood + ",\"a\":" + kGood + "}"), "'a' appears twice"},
      {"same name by escape", header("{\"a\":" + kGood + ",\"\\u0061\":" + kGood + "}"),
       "'a' appears twice"},
      {"metadata twice", header("{\"__metadata__\":{},\"__metadata__\":{}}", ""),
       "'__metadata__' appears twice"},
      {"metadata key twice", header(R"({"__metadata__":{"k":"1","k":"2"}})", ""),
       "'k' appears twice"},
      {"metadata number", header(R"({"__metadata__":{"k":1}})", ""),
       "expected a string, found the number"},
      {"metadata null", header(R"({"__metadata__":{"k":null}})", ""),
       "expected a string, found null"},
      {"metadata object", header(R"({"__metadata__":{"k":{}}})", ""),
       "expected a string, found an object"},
      {"metadata array", header(R"({"__metadata__":{"k":[]}})", ""),
       "expected a string, found an array"},
      {"metadata is a list", header(R"({"__metadata__":[]})", ""),
       "expected an object, found an array"},
      {"metadata is a string", header(R"({"__metadata__":"x"})", ""),
       "expected an object, found the string"},
  };
}

std::vector<Malformed> tensor_cases() {
  return {
      {"no dtype", one(R"({"shape":[1],"data_offsets":[0,1]})"), "must all be there"},
      {"no shape", one(R"({"dtype":"U8","data_offsets":[0,1]})"), "must all be there"},
      {"no offsets", one(R"({"dtype":"U8","shape":[1]})"), "must all be there"},
      {"empty tensor", one("{}"), "must all be there"},
      {"unknown key", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1})"),
       "unknown key 'x'"},
      {"dtype twice", one(R"({"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]})"),
       "key 'dtype' appears twice"},
      {"shape twice", one(R"({"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]})"),
       "key 'shape' appears twice"},
      {"offsets twice",
       one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1],"data_offsets":[0,1]})"),
       "key 'data_offsets' appears twice"},
      {"unknown dtype", one(entry("F8_E4M3", "[1]", "[0,1]")), "dtype 'F8_E4M3' is not known"},
      {"lower-case dtype", one(entry("u8", "[1]", "[0,1]")), "dtype 'u8' is not known"},
      {"dtype number", one(R"({"dtype":1,"shape":[1],"data_offsets":[0,1]})"),
       "key 'dtype': did not expect the number 1"},
      {"shape number", one(entry("U8", "1", "[0,1]")), "key 'shape': did not expect the number 1"},
      {"shape object", one(entry("U8", "{}", "[0,1]")), "key 'shape': did not expect an object"},
      {"nested shape", one(entry("U8", "[[1]]", "[0,1]")), "shape: expected non-negative integers"},
      {"negative dimension", one(entry("U8", "[-1]", "[0,1]")), "found the number -1"},
      {"fractional dimension", one(entry("U8", "[1.0]", "[0,1]")), "found the number 1.0"},
      {"exponent dimension", one(entry("U8", "[1e0]", "[0,1]")), "found the number 1e0"},
      {"string dimension", one(entry("U8", "[\"1\"]", "[0,1]")), "found the string '1'"},
      {"nine dimensions", one(entry("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]")),
       "more than 8 dimensions"},
      {"dimension above 2^63", one(entry("U8", "[9223372036854775808]", "[0,1]")), "is too large"},
      {"dimension above 2^64", one(entry("U8", "[18446744073709551617]", "[0,1]")),
       "expected non-negative integers"},
  };
}

std::vector<Malformed> offset_cases() {
  return {
      {"negative offset", one(entry("U8", "[1]", "[-1,0]")),
       "two non-negative integers, found the number -1"},
      {"exponent offset", one(entry("U8", "[1]", "[0,1e3]")), "found the number 1e3"},
      {"fractional offset", one(entry("U8", "[1]", "[0,1.5]")), "found the number 1.5"},
      {"offset above 2^64", one(entry("U8", "[1]", "[0,18446744073709551616]")),
       "non-negative integers"},
      {"one offset", one(entry("U8", "[1]", "[0]")), "expected two numbers"},
      {"three offsets", one(entry("U8", "[1]", "[0,1,2]")), "more than two numbers"},
      {"offsets string", one(entry("U8", "[1]", "\"01\"")), "did not expect the string"},
      {"null offset", one(entry("U8", "[1]", "[0,null]")), "found null"},
      {"reversed", one(entry("U8", "[1]", "[1,0]")), "data_offsets are reversed"},
      {"shape too large", one(entry("F32", "[2,3]", "[0,1]")),
       "takes 24 bytes, data_offsets hold 1"},
      {"shape too small", one(entry("U8", "[0]", "[0,1]")), "takes 0 bytes, data_offsets hold 1"},
      {"overlap", header(two("[0,1]", "[0,1]")), "overlaps the one before"},
      {"hole", header(two("[0,1]", "[2,3]"), "xyz"), "leaves a hole before it: starts at byte 2"},
      {"hole at the start", one(entry("U8", "[1]", "[1,2]")), "leaves a hole before it"},
      {"trailing bytes", header("{\"a\":" + kGood + "}", "xy"), "take 1 bytes, the file holds 2"},
      {"missing bytes", header("{\"a\":" + kGood + "}", ""), "take 1 bytes, the file holds 0"},
      {"data without tensors", header("{}", "x"), "take 0 bytes, the file holds 1"},
      {"end near 2^64", one(entry("U8", "[1]", "[18446744073709551614,18446744073709551615]")),
       "leaves a hole"},
  };
}

// The attacks on other readers that are known to us.
std::vector<Malformed> attack_cases() {
  std::string same_range = "{";
  for (int i = 0; i < 100000; ++i) {
    same_range += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + "\":" + kGood;
  }
  std::string many = "{";
  for (int i = 0; i < 100001; ++i) {
    many += (i == 0 ? "\"t" : ",\"t") + std::to_string(i) + "\":" + entry("U8", "[0]", "[0,0]");
  }
  return {
      {"shape product overflows", one(entry("F32", "[4194305,4194305,211106198978564]", "[0,1]")),
       "overflows"},
      {"dimension near 2^64", one(entry("U8", "[2,18446744073709551614]", "[0,1]")),
       "is too large"},
      {"product wraps to a small number", one(entry("U8", "[4294967296,4294967296]", "[0,1]")),
       "overflows"},
      {"product with the type overflows", one(entry("F64", "[2305843009213693952]", "[0,0]")),
       "overflows"},
      {"100,000 tensors on one range", header(same_range + "}"), "overlaps the one before"},
      {"100,001 tensors", header(many + "}", ""), "more than 100000 tensors"},
  };
}

void read(const std::string& path) { SafetensorsFile file(path); }

TEST(SafetensorsMalformed, Lengths) { expect_refused("m", length_cases(), 9, read); }
TEST(SafetensorsMalformed, Json) { expect_refused("m", json_cases(), 21, read); }
TEST(SafetensorsMalformed, Names) { expect_refused("m", name_and_metadata_cases(), 13, read); }
TEST(SafetensorsMalformed, Tensors) { expect_refused("m", tensor_cases(), 20, read); }
TEST(SafetensorsMalformed, Offsets) { expect_refused("m", offset_cases(), 18, read); }
TEST(SafetensorsMalformed, Attacks) { expect_refused("m", attack_cases(), 6, read); }

TEST(SafetensorsMalformed, HeaderAboveTheLimit) {
  const TemporaryFolder folder;
  const std::string path =
      folder.put("m", header("{\"a\":" + kGood + "}" + std::string(1000, ' ')));
  EXPECT_EQ(SafetensorsFile(path).tensors().size(), 1u);
  expect_error(ExitCode::kBadData, "at most 100 are read",
               [&] { SafetensorsFile(path, SafetensorsLimits{100}); });
}

// 10 million overlapping entries cannot be reached: reading ends at the 100,001st, whatever the
// limit of the header's size.
TEST(SafetensorsMalformed, MillionsOfEntriesEndEarly) {
  std::string text = "{";
  for (int i = 0; i < 1000000; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":" + kGood;
  }
  text += "}";
  expect_error(ExitCode::kBadData, "more than 100000 tensors",
               [&] { parse_safetensors_header("m", text, 1); });
}

TEST(SafetensorsMalformed, MutatedHeadersNeverCrash) {
  const std::string text =
      "{\"__metadata__\":{\"format\":\"pt\"},\"a\":" + entry("F32", "[2,3]", "[0,24]") +
      ",\"b\":" + entry("BF16", "[4]", "[24,32]") + "}";
  ASSERT_EQ(parse_safetensors_header("m", text, 32).tensors.size(), 2u);
  const std::string alphabet = "{}[]\",:0123456789-.eE \\u\x80\xFF";
  Rng rng(7);
  int refused = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string mutated = text;
    for (std::uint64_t n = 1 + rng.next_below(4); n > 0; --n) {
      const std::size_t at = rng.next_below(mutated.size());
      const char c = alphabet[rng.next_below(alphabet.size())];
      switch (rng.next_below(4)) {
        case 0:
          mutated.erase(at, 1 + rng.next_below(8));
          break;
        case 1:
          mutated.insert(at, 1 + rng.next_below(3), c);
          break;
        case 2:
          mutated.insert(at, mutated.substr(rng.next_below(mutated.size()), rng.next_below(40)));
          break;
        default:
          mutated[at] = c;
      }
      mutated += mutated.empty() ? "{" : "";
    }
    try {
      const SafetensorsHeader header = parse_safetensors_header("m", mutated, 32);
      std::uint64_t end = 0;
      for (const TensorInfo& tensor : header.tensors) {
        ASSERT_EQ(tensor.begin, end) << mutated;
        end = tensor.end;
      }
      ASSERT_EQ(end, 32u) << mutated;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadData) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 30000);
}

}  // namespace
}  // namespace rallrec::io
