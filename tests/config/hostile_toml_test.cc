#include <gtest/gtest.h>

#include "config/load.h"
#include "core/rng.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::config {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

class HostileToml : public ::testing::Test {
 protected:
  void expect_refused(const std::string& text, const std::string& place) {
    Sources sources;
    sources.file = folder_.put("run.toml", text);
    expect_error(ExitCode::kUsage, sources.file + place, [&] { load_config(sources); });
  }

  TemporaryFolder folder_;
};

TEST_F(HostileToml, SyntaxErrorsNameLineAndColumn) {
  expect_refused("[tune]\nepochs = \n", ":2:");
  expect_refused("[tune\n", ":1:");
  expect_refused("[tune]\nepochs = 1 2\n", ":2:");
  expect_refused("[tune]\nepochs 1\n", ":2:");
}

TEST_F(HostileToml, RepeatedKeysAndSectionsAreRefused) {
  expect_refused("[tune]\nepochs = 1\nepochs = 2\n", ":3:");
  expect_refused("[tune]\nepochs = 1\n[tune]\nseed = 2\n", ":3:");
  expect_refused("mode = 'clean'\nmode = 'paper'\n", ":2:");
}

TEST_F(HostileToml, IntegersBeyond64BitsAreRefused) {
  expect_refused("[tune]\nseed = 9223372036854775808\n", ":2:");
  expect_refused("[tune]\nseed = 99999999999999999999999999999999999999\n", ":2:");
  expect_refused("[tune]\nseed = -9223372036854775809\n", ":2:");
  expect_refused("[tune]\nseed = 0xFFFFFFFFFFFFFFFFFF\n", ":2:");
}

TEST_F(HostileToml, TheLargestIntegerIsRead) {
  Sources sources;
  sources.file = folder_.put("run.toml", "[tune]\nseed = 9223372036854775807\n");
  EXPECT_EQ(load_config(sources).options.tune.seed, 9223372036854775807);
}

TEST_F(HostileToml, DeepNestingIsRefused) {
  expect_refused("[retrieve]\nblocks = " + std::string(100000, '[') + "\n", ":2:");
  expect_refused("[retrieve]\nblocks = " + std::string(200, '[') + std::string(200, ']') + "\n",
                 ":2:");
  std::string dotted = "tune";
  for (int i = 0; i < 5000; ++i) {
    dotted += ".a";
  }
  expect_refused(dotted + " = 1\n", ":1:");
}

TEST_F(HostileToml, BytesThatAreNoTextAreRefused) {
  expect_refused(std::string("[tune]\nepochs = 1\0\n", 19), ":2:");
  expect_refused(std::string("\0\0\0\0", 4), ":1:");
  expect_refused("[data]\npath = \"\xC3\x28\"\n", ":2:");
  expect_refused("\xFF\xFE[tune]\n", ":1:");
  expect_refused("[data]\npath = \"a\x01\"\n", ":2:");
}

TEST_F(HostileToml, HugeFilesAreNotRead) {
  expect_refused(std::string((1 << 20) + 1, '\n'), ": is larger than 1 MiB");
}

// Damaged files end in a value or an Error of the two input codes, never in anything else.
TEST_F(HostileToml, EverySingleByteChangeIsAnswered) {
  const std::string good = "mode = 'clean'\n[tune]\nepochs = 3\n[retrieve]\nblocks = ['text']\n";
  Sources sources;
  int refused = 0;
  for (std::size_t position = 0; position < good.size(); ++position) {
    for (const int byte :
         std::initializer_list<int>{0, '[', ']', '"', '\'', '=', '.', '\n', '{', 0x80, 0xFF}) {
      std::string text = good;
      text[position] = static_cast<char>(byte);
      sources.file = folder_.put("run.toml", text);
      try {
        load_config(sources);
      } catch (const Error& error) {
        EXPECT_EQ(static_cast<int>(error.code()), 64) << text;
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace rallrec::config
