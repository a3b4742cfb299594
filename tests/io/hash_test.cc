#include "io/hash.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

// FIPS 180-2, appendix B.
TEST(Sha256, StandardVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) {
    hash.update(std::string(1000, 'a'));
  }
  EXPECT_EQ(hash.finish(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfAFile) {
  const rallrec::testing::TemporaryFolder folder;
  const std::string bytes(3000000, 'q');
  EXPECT_EQ(sha256_of_file(folder.put("q", bytes)), sha256_hex(bytes));
}

TEST(Xxh3, PiecesEqualTheWhole) {
  // xxhsum -H2 of the empty input.
  EXPECT_EQ(xxh3_128_hex(""), "99aa06d3014798d86001c324468d497f");
  const std::string bytes(100001, 'z');
  Xxh3 hash;
  hash.update(bytes.data(), 77);
  hash.update(bytes.data() + 77, bytes.size() - 77);
  EXPECT_EQ(hash.digest(), xxh3_128(bytes.data(), bytes.size()));
  EXPECT_NE(hash.digest(), xxh3_128(bytes.data(), bytes.size() - 1));
}

}  // namespace
}  // namespace rallrec::io
