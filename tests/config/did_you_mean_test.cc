#include "config/did_you_mean.h"

#include <gtest/gtest.h>

namespace rallrec::config {
namespace {

TEST(Nearest, FindsSlipsOfEveryKind) {
  const std::vector<std::string> names = {"epochs", "learning_rate", "seed", "batch_size"};
  EXPECT_EQ(nearest("epoch", names), "epochs");                 // left out
  EXPECT_EQ(nearest("seeed", names), "seed");                   // doubled
  EXPECT_EQ(nearest("batch-size", names), "batch_size");        // replaced
  EXPECT_EQ(nearest("laerning_rate", names), "learning_rate");  // swapped
  EXPECT_EQ(nearest("tun", {"run", "tune", "bun"}), "tune");    // not finished, of equals
}

TEST(Nearest, IsSilentWhereNothingIsNear) {
  EXPECT_EQ(nearest("temperature", {"epochs", "seed"}), "");
  EXPECT_EQ(nearest("ab", {"k"}), "");
  EXPECT_EQ(nearest("", {"k"}), "");
  EXPECT_EQ(nearest("seed", {}), "");
  EXPECT_EQ(nearest(std::string(100000, 'e'), {"epochs"}), "");
}

TEST(Nearest, PrefersTheSmallerDistance) {
  EXPECT_EQ(nearest("test_sample", {"train_samples", "test_samples"}), "test_samples");
}

TEST(DidYouMean, IsEmptyWithoutAHint) {
  EXPECT_EQ(did_you_mean("tun", {"tune"}), "; did you mean 'tune'?");
  EXPECT_EQ(did_you_mean("x", {"tune"}), "");
}

}  // namespace
}  // namespace rallrec::config
