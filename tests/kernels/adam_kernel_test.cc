#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "kernels/adam.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceTest;
using rallrec::testing::random_floats;

// The textbook recurrence in double.
struct DoubleAdam {
  double m = 0.0;
  double v = 0.0;
  double largest = 0.0;  // gradient so far: terms cancel in m, and its error is that of the terms
  double update(double g, double rate, int t) {
    largest = std::max(largest, std::fabs(g));
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    return -rate * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
  }
};

class AdamCounts : public DeviceTest<std::int64_t> {};

TEST_P(AdamCounts, FollowsTheRecurrence) {
  const std::int64_t count = shape();
  const auto size = static_cast<std::size_t>(count);
  const auto start = random_floats(count, 1);
  std::vector<double> expected(start.begin(), start.end());
  std::vector<DoubleAdam> reference(size);
  const auto parameters = on_device(start);
  const auto first = on_device(std::vector<float>(size));
  const auto second = on_device(std::vector<float>(size));
  for (int step = 1; step <= 5; ++step) {
    auto gradient = random_floats(count, 10 + static_cast<std::uint64_t>(step));
    const double rate = 0.02 / step;
    for (std::size_t i = 0; i < size; ++i) {
      gradient[i] *= static_cast<float>(std::pow(10.0, static_cast<double>(i % 7) - 5.0));
      expected[i] += reference[i].update(gradient[i], rate, step);
    }
    const auto on_queue = on_device(gradient);
    if (step % 2 == 0) {
      const auto rates = on_device(std::vector<AdamRates>{adam_rates(rate, step)});
      adam_by_stored_rates(queue(), rates.get(), count, on_queue.get(), parameters.get(),
                           first.get(), second.get());
    } else {
      adam(queue(), adam_rates(rate, step), count, on_queue.get(), parameters.get(), first.get(),
           second.get());
    }
    EXPECT_EQ(on_queue.host(), gradient);
  }
  const auto got = parameters.host();
  const auto m = first.host();
  const auto v = second.host();
  for (std::size_t i = 0; i < size; ++i) {
    ASSERT_NEAR(got[i], expected[i], 2e-6) << i;
    // Five steps of at most 1.3 half-units each.
    ASSERT_NEAR(m[i], reference[i].m, 4e-7 * reference[i].largest) << i;
    ASSERT_NEAR(v[i], reference[i].v, 1e-5 * reference[i].v) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Counts, AdamCounts,
                         testing::on_every_device(std::int64_t{0}, std::int64_t{1}, std::int64_t{7},
                                                  std::int64_t{1024}, std::int64_t{2051}),
                         testing::device_and_number<AdamCounts::ParamType>);

class AdamParts : public DeviceTest<std::int64_t> {};

// Parts that begin where sixteen bytes do not, as a rank's rows may.
TEST_P(AdamParts, BitsDoNotDependOnTheCut) {
  const std::int64_t count = 1030;
  const auto gradient = on_device(random_floats(count, 2));
  std::vector<std::vector<float>> results;
  for (const std::int64_t cut : {std::int64_t{0}, shape()}) {
    const auto parameters = on_device(random_floats(count, 3));
    const auto first = on_device(random_floats(count, 4, 0.1F));
    const auto second = on_device(std::vector<float>(count, 0.5F));
    for (const auto& [begin, end] : {std::pair{std::int64_t{0}, cut}, std::pair{cut, count}}) {
      adam(queue(), adam_rates(0.1, 3), end - begin, gradient.get() + begin,
           parameters.get() + begin, first.get() + begin, second.get() + begin);
    }
    results.push_back(parameters.host());
  }
  EXPECT_EQ(results[0], results[1]);
}

INSTANTIATE_TEST_SUITE_P(Cuts, AdamParts, testing::on_every_device(std::int64_t{517}),
                         testing::device_and_number<AdamParts::ParamType>);

struct RowsShape {
  std::int64_t count;
  std::int64_t width;
};

class AdamRowUpdates : public DeviceTest<RowsShape> {};

// Every second row from the last on is named, each with a number of updates of its own.
TEST_P(AdamRowUpdates, FollowTheRecurrenceRowByRowAndLeaveTheOthers) {
  const auto [count, width] = shape();
  const std::int64_t rows = 2 * count + 1;
  const auto size = static_cast<std::size_t>(rows * width);
  constexpr float kL2 = 0.25F;
  std::vector<std::int64_t> places;
  std::vector<AdamRates> rates;
  for (std::int64_t i = 0; i < count; ++i) {
    places.push_back(rows - 2 - 2 * i);
    rates.push_back(adam_rates(0.02, 1 + i % 5));
  }
  const auto start = random_floats(rows * width, 1);
  const auto moments = random_floats(rows * width, 2, 0.1F);
  const auto squares = std::vector<float>(size, 0.3F);
  const auto gradient = random_floats(count * width, 3);
  const auto on_queue = on_device(gradient);
  const auto values = on_device(start);
  const auto first = on_device(moments);
  const auto second = on_device(squares);
  const auto places_there = on_device(places);
  const auto rates_there = on_device(rates);
  adam_rows(queue(), {count, width, places_there.get(), rates_there.get(), kL2, on_queue.get(),
                      values.get(), first.get(), second.get()});
  std::vector<double> want(start.begin(), start.end());
  std::vector<double> want_m(moments.begin(), moments.end());
  for (std::int64_t i = 0; i < count * width; ++i) {
    const auto row = static_cast<std::size_t>(i / width);
    const auto at = static_cast<std::size_t>(places[row] * width + i % width);
    DoubleAdam reference{moments[at], squares[at], 0.0};
    const double g = gradient[static_cast<std::size_t>(i)] + double{kL2} * start[at];
    want[at] += reference.update(g, 0.02, 1 + static_cast<int>(row) % 5);
    want_m[at] = reference.m;
  }
  const auto got = values.host();
  const auto m = first.host();
  for (std::size_t i = 0; i < size; ++i) {
    ASSERT_NEAR(got[i], want[i], 1e-6) << i;
    ASSERT_NEAR(m[i], want_m[i], 1e-6) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, AdamRowUpdates,
                         testing::on_every_device(RowsShape{0, 3}, RowsShape{2, 0}, RowsShape{1, 1},
                                                  RowsShape{70, 17}, RowsShape{130, 16}),
                         testing::device_and_number<AdamRowUpdates::ParamType>);

TEST(AdamInput, UpdatesCountFromOne) { EXPECT_THROW(adam_rates(0.1, 0), Error); }

}  // namespace
}  // namespace rallrec::kernels
