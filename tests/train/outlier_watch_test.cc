#include "train/outlier_watch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/rng.h"

namespace rallrec::train {
namespace {

TEST(OutlierWatch, IsTheDistanceFromTheMeanOfTheWindowInDeviations) {
  OutlierWatch watch;
  for (int i = 0; i < 200; ++i) {
    EXPECT_FALSE(watch.outlier(i % 2 == 0 ? 2.0 : 4.0).has_value());
  }
  EXPECT_EQ(watch.values().size(), OutlierWatch::kWindow);
  // Mean 3, deviation 1.
  EXPECT_FALSE(watch.outlier(8.9).has_value());
  OutlierWatch again(std::vector<double>(watch.values().begin(), watch.values().end() - 1));
  const std::optional<double> z = again.outlier(-7.0);
  ASSERT_TRUE(z.has_value());
  EXPECT_NEAR(*z, -10.0, 0.1);
}

TEST(OutlierWatch, ForgetsWhatLeftTheWindow) {
  OutlierWatch watch;
  for (int i = 0; i < 50; ++i) {
    watch.outlier(1000.0 + i % 3);
  }
  Rng rng(4);
  for (std::size_t i = 0; i < OutlierWatch::kWindow; ++i) {
    watch.outlier(rng.next_normal());
  }
  EXPECT_FALSE(watch.outlier(3.0).has_value());
  EXPECT_TRUE(watch.outlier(1000.0).has_value());
}

TEST(OutlierWatch, JudgesNothingByTooFewValuesAndKeepsNoneThatIsNotFinite) {
  OutlierWatch watch;
  for (std::size_t i = 0; i + 1 < OutlierWatch::kFewest; ++i) {
    watch.outlier(1.0 + 0.01 * static_cast<double>(i));
  }
  EXPECT_FALSE(watch.outlier(std::numeric_limits<double>::quiet_NaN()).has_value());
  EXPECT_FALSE(watch.outlier(std::numeric_limits<double>::infinity()).has_value());
  EXPECT_FALSE(watch.outlier(50.0).has_value());
  EXPECT_EQ(watch.values().size(), OutlierWatch::kFewest);
  EXPECT_TRUE(watch.outlier(5000.0).has_value());
}

TEST(OutlierWatch, EqualValuesAreNoMeasureOfSmallDifferences) {
  OutlierWatch watch(std::vector<double>(20, 2.0));
  EXPECT_FALSE(watch.outlier(2.0).has_value());
  EXPECT_FALSE(watch.outlier(2.01).has_value());
  EXPECT_TRUE(watch.outlier(3.0).has_value());
}

}  // namespace
}  // namespace rallrec::train
