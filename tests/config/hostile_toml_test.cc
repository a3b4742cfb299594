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

TEST_F(HostileToml, TheLargestIntegerIsRead) {
  Sources sources;
  sources.file = folder_.put("run.toml", "[tune]\nseed = 9223372036854775807\n");
  EXPECT_EQ(load_config(sources).options.tune.seed, 9223372036854775807);
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
