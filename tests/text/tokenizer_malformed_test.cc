#include <gtest/gtest.h>

#include "io/files.h"
#include "tests/support/malformed.h"
#include "tests/text/tokenizer_paths.h"
#include "text/tokenizer.h"

namespace rallrec::text {
namespace {

using rallrec::testing::expect_refused;
using rallrec::testing::Malformed;

std::string tiny() { return io::read_file(tiny_tokenizer() + "/tokenizer.json"); }

// The tiny tokenizer with `from`, which it holds, replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = tiny();
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? "" : text.replace(at, from.size(), to);
}

std::vector<Malformed> text_cases() {
  const std::string good = tiny();
  return {
      {"empty", "", ":1:1: the JSON text ends too early"},
      {"cut off in the middle", good.substr(0, good.size() / 2), ": the JSON text ends too early"},
      {"last brace missing", good.substr(0, good.rfind('}')), ": the JSON text ends too early"},
      {"brace too many", good + "}", ": not valid JSON near"},
      {"two files joined", good + good, ": not valid JSON near"},
      {"a web page", "<!DOCTYPE html>", ":1:1: not valid JSON near '<'"},
      {"pointer of Git LFS", "version https://git-lfs.github.com/spec/v1\n",
       ":1:1: not valid JSON"},
      {"gzip", "\x1F\x8B\x08 zipped", ":1:2: not valid UTF-8"},
      {"UTF-16", std::string("\xFF\xFE{\0}\0", 6), ":1:1: not valid UTF-8"},
      {"Latin-1", changed("\"Yes\"", "\"Y\xE9s\""), ": not valid UTF-8"},
      {"NUL byte", changed("\"Yes\"", std::string("\"Y\0s\"", 5)), ": a NUL byte is not allowed"},
      {"lone surrogate", changed("\"Yes\"", "\"\\ud800\""), ": a lone surrogate"},
      {"trailing comma", changed("\"merges\": [", "\"merges\": [,"), ": not valid JSON near"},
      {"NaN", changed("\"merges\": [", "\"dropout\": NaN, \"merges\": ["), ": not valid JSON near"},
      {"100,000 brackets", std::string(100000, '['), ":1:1: nested deeper than 64 levels"},
      {"40 brackets", std::string(40, '[') + std::string(40, ']'), "is not JSON as expected: "},
      {"an array", "[]", "must be an object"},
      {"null", "null", "must be an object"},
      {"model twice", changed("\"model\":", "\"model\": {}, \"model\":"),
       "key \"model\" appears twice"},
      {"vocabulary twice", changed("\"vocab\":", "\"vocab\": {}, \"vocab\":"),
       "model: key \"vocab\" appears twice"},
      {"token twice", changed("\"Yes\":", "\"No\" :"), "model.vocab: token \"No\" is listed twice"},
  };
}

TEST(TokenizerMalformed, Texts) {
  expect_refused("tokenizer.json", text_cases(), 21,
                 [](const std::string& path) { Tokenizer::load(io::folder_of(path)); });
}

}  // namespace
}  // namespace rallrec::text
