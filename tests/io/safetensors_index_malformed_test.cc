#include <gtest/gtest.h>

#include <filesystem>

#include "io/safetensors.h"
#include "tests/io/safetensors_files.h"
#include "tests/support/malformed.h"

namespace rallrec::io {
namespace {

using rallrec::testing::Malformed;
using rallrec::testing::TemporaryFolder;
using testing::entry;
using testing::safetensors_bytes;

// The folder holds shards/one.safetensors with the tensor a, and shards that are none.
std::string map(const std::string& entries) { return "{\"weight_map\": {" + entries + "}}"; }
std::string shard_of_a(const std::string& name) { return map("\"a\": \"" + name + "\""); }

std::vector<Malformed> syntax_cases() {
  return {
      {"empty", "", ":1:1: the JSON text ends too early"},
      {"cut off", R"({"weight_map": {"a": "one.safe)", ":1:31: the JSON text ends too early"},
      {"a web page", "<!DOCTYPE html>", ":1:1: not valid JSON near '<'"},
      {"trailing comma", map(R"("a": "one.safetensors",)"), ":1:40: not valid JSON near"},
      {"single quotes", "{'weight_map': {}}", ":1:2: not valid JSON near"},
      {"Latin-1 in a name", map("\"caf\xE9\": \"one.safetensors\""), ":1:21: not valid UTF-8"},
      {"tensor twice", map(R"("a": "one.safetensors", "a": "two.safetensors")"),
       "key 'a' appears twice"},
      {"map twice", R"({"weight_map": {}, "weight_map": {}})", "key 'weight_map' appears twice"},
  };
}

std::vector<Malformed> map_cases() {
  const std::string no_map = "expected an object under the key 'weight_map'";
  return {
      {"an array", "[]", no_map},
      {"no map", R"({"metadata": {"total_size": 4}})", no_map},
      {"null map", R"({"weight_map": null})", no_map},
      {"map is a list", R"({"weight_map": ["one.safetensors"]})", no_map},
      {"file is a number", map(R"("a": 1)"), "weight_map key 'a': expected the name of a file"},
      {"file is a list", map(R"("a": ["one.safetensors"])"), "expected the name of a file"},
      {"tensor elsewhere", map(R"("b": "one.safetensors")"),
       "tensor 'b' is not in one.safetensors"},
      {"name with a NUL", map(R"("a\u0000": "one.safetensors")"), "NUL (\\u0000) is not allowed"},
  };
}

std::vector<Malformed> shard_cases() {
  const std::string plain = "must be the plain name of a file beside it";
  return {
      {"folder above", shard_of_a("../one.safetensors"), plain},
      {"absolute path", shard_of_a("/etc/passwd"), plain},
      {"parent", shard_of_a(".."), plain},
      {"the folder itself", shard_of_a("."), plain},
      {"no name", shard_of_a(""), plain},
      {"way round", shard_of_a("x/../one.safetensors"), plain},
      {"missing shard", shard_of_a("two.safetensors"), "two.safetensors: no such file, but",
       ExitCode::kMissingInput},
      {"the index as a shard", shard_of_a("model.safetensors.index.json"),
       "not a safetensors file, or cut off"},
      {"pointer of Git LFS", shard_of_a("lfs.safetensors"), "not a safetensors file, or cut off"},
      {"download that broke off", shard_of_a("cut.safetensors"), "take 4 bytes, the file holds 3"},
      {"empty shard", shard_of_a("empty.safetensors"), "not a safetensors file: 0 bytes"},
      {"a folder as a shard", shard_of_a("folder.safetensors"), "is a folder"},
  };
}

class SafetensorsIndexMalformed : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string shard =
        safetensors_bytes("{\"a\":" + entry("F32", "[1]", "[0,4]") + "}", "1234");
    folder_.put("one.safetensors", shard);
    folder_.put("cut.safetensors", shard.substr(0, shard.size() - 1));
    folder_.put("empty.safetensors", "");
    folder_.put("lfs.safetensors",
                "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 4\n");
    std::filesystem::create_directory(folder_.file("folder.safetensors"));
  }

  void expect_index_refused(const std::vector<Malformed>& cases, int least) {
    int refused = 0;
    for (const Malformed& one : cases) {
      SCOPED_TRACE(one.name);
      folder_.put("model.safetensors.index.json", one.bytes);
      refused += rallrec::testing::is_refused(one.code, folder_.path(), one.message,
                                              [&] { SafetensorsFolder folder(folder_.path()); });
    }
    rallrec::testing::record_refused(refused, least);
  }

  TemporaryFolder folder_;
};

TEST_F(SafetensorsIndexMalformed, Syntax) { expect_index_refused(syntax_cases(), 8); }
TEST_F(SafetensorsIndexMalformed, Map) { expect_index_refused(map_cases(), 8); }
TEST_F(SafetensorsIndexMalformed, Shards) { expect_index_refused(shard_cases(), 12); }

}  // namespace
}  // namespace rallrec::io
