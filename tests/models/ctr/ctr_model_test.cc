#include "models/ctr/ctr_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/models/ctr/reference_models.h"
#include "tests/support/expect_error.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::models::ctr {
namespace {

using rallrec::testing::Doubles;
using rallrec::testing::random_floats;
using rallrec::testing::ReferenceModel;
using rallrec::testing::ThreadCountGuard;
using Values = std::vector<float>;

constexpr CtrShape kShape{5, 6};
constexpr std::int64_t kRows = 7;

config::BaselineOptions small_options() {
  config::BaselineOptions options;
  options.mlp_sizes = "9-4";
  options.cin_sizes = "3-5";
  options.attention_heads = 2;
  options.attention_size = 8;
  options.dropout = 0.0;
  return options;
}

struct Trial {
  explicit Trial(const std::string& name, const config::BaselineOptions& options,
                 std::int64_t rows = kRows)
      : model(make_ctr_model(name, kShape, options)),
        parameters(static_cast<std::size_t>(model->parameter_count())),
        x(random_floats(rows * kShape.width(), 2)),
        samples(static_cast<std::size_t>(rows)),
        dlogits(random_floats(rows, 3)) {
    std::iota(samples.begin(), samples.end(), std::int64_t{100});
    model->initialise(7, parameters.data());
    // Also where they start at 0.
    const Values more = random_floats(model->parameter_count(), 4, 0.1F);
    std::transform(parameters.begin(), parameters.end(), more.begin(), parameters.begin(),
                   [](float a, float b) { return a + b; });
  }
  CtrBlock block(bool training = false) const {
    return {static_cast<std::int64_t>(samples.size()), x.data(), samples.data(), 3, training};
  }
  Values forward(bool training = false) {
    Values logits(samples.size(), 9.0F);
    model->forward(parameters.data(), block(training), logits.data());
    return logits;
  }
  // Gradient, then dx.
  std::pair<Values, Values> backward(bool training = false) {
    forward(training);
    std::pair<Values, Values> result{Values(parameters.size(), 9.0F), Values(x.size(), 9.0F)};
    model->backward(parameters.data(), block(training), dlogits.data(), result.first.data(),
                    result.second.data());
    return result;
  }

  std::unique_ptr<CtrModel> model;
  Values parameters, x;
  std::vector<std::int64_t> samples;
  Values dlogits;
};

Doubles doubles(const Values& values, std::int64_t begin, std::int64_t count) {
  return {values.begin() + begin, values.begin() + begin + count};
}

class CtrModels : public ::testing::TestWithParam<std::string> {
 protected:
  // Σ dlogits · logits of the reference, for parameters and x that may be moved.
  double objective(const Trial& trial, const Doubles& parameters, const Doubles& x) {
    ReferenceModel reference(GetParam(), kShape, small_options());
    double sum = 0.0;
    for (std::int64_t row = 0; row < kRows; ++row) {
      const Doubles e(x.begin() + row * kShape.width(), x.begin() + (row + 1) * kShape.width());
      sum += trial.dlogits[static_cast<std::size_t>(row)] * reference.logit(parameters, e);
    }
    return sum;
  }
  // The slopes of the objective in each of `moved`, which is one of the two.
  void expect_slopes(const Trial& trial, Doubles& parameters, Doubles& x, Doubles& moved,
                     const Values& gradient, const char* name) {
    constexpr double kStep = 1e-6;
    for (std::size_t i = 0; i < moved.size(); ++i) {
      const double before = moved[i];
      moved[i] = before + kStep;
      const double above = objective(trial, parameters, x);
      moved[i] = before - kStep;
      const double slope = (above - objective(trial, parameters, x)) / (2.0 * kStep);
      moved[i] = before;
      ASSERT_NEAR(gradient[i], slope, 2e-4 * std::max(1.0, std::fabs(slope))) << name << ' ' << i;
    }
  }
};

TEST_P(CtrModels, LogitsAreThoseOfThePaper) {
  Trial trial(GetParam(), small_options());
  const Values got = trial.forward();
  ReferenceModel reference(GetParam(), kShape, small_options());
  const Doubles parameters(trial.parameters.begin(), trial.parameters.end());
  for (std::int64_t row = 0; row < kRows; ++row) {
    const Doubles e = doubles(trial.x, row * kShape.width(), kShape.width());
    EXPECT_NEAR(got[static_cast<std::size_t>(row)], reference.logit(parameters, e), 2e-4);
    EXPECT_EQ(reference.used(), trial.model->parameter_count());
  }
}

TEST_P(CtrModels, GradientsAreTheSlopesOfThePaper) {
  Trial trial(GetParam(), small_options());
  const auto [gradient, dx] = trial.backward();
  Doubles parameters(trial.parameters.begin(), trial.parameters.end());
  Doubles x(trial.x.begin(), trial.x.end());
  expect_slopes(trial, parameters, x, parameters, gradient, "parameter");
  expect_slopes(trial, parameters, x, x, dx, "x");
}

TEST_P(CtrModels, ALogitDoesNotDependOnItsNeighboursNorOnThreads) {
  Trial whole(GetParam(), small_options(), 300);
  const Values all = whole.forward();
  const auto [gradient, dx] = whole.backward();
  {
    const ThreadCountGuard threads(2);
    Trial again(GetParam(), small_options(), 300);
    EXPECT_EQ(again.forward(), all);
    const auto [gradient2, dx2] = again.backward();
    EXPECT_EQ(gradient2, gradient);
    EXPECT_EQ(dx2, dx);
  }
  Trial last(GetParam(), small_options(), 1);
  last.x.assign(whole.x.end() - kShape.width(), whole.x.end());
  EXPECT_EQ(last.forward()[0], all.back());
}

TEST_P(CtrModels, DropoutFollowsTheSampleAndItsGradientTheMask) {
  config::BaselineOptions options = small_options();
  options.dropout = 0.4;
  Trial trial(GetParam(), options);
  const Values plain = trial.forward(false);
  const Values dropped = trial.forward(true);
  EXPECT_NE(plain, dropped);
  EXPECT_EQ(trial.forward(true), dropped);
  EXPECT_EQ(trial.forward(false), plain);
  // The last sample alone, under its number.
  Trial last(GetParam(), options, 1);
  last.x.assign(trial.x.end() - kShape.width(), trial.x.end());
  last.samples = {trial.samples.back()};
  EXPECT_EQ(last.forward(true)[0], dropped.back());

  // Along the gradient of all parameters and of x the objective rises by its squared norm.
  const auto [gradient, dx] = trial.backward(true);
  const auto objective = [&](float step) {
    Trial moved(GetParam(), options);
    for (std::size_t i = 0; i < gradient.size(); ++i) moved.parameters[i] += step * gradient[i];
    for (std::size_t i = 0; i < dx.size(); ++i) moved.x[i] += step * dx[i];
    const Values logits = moved.forward(true);
    return std::inner_product(logits.begin(), logits.end(), trial.dlogits.begin(), 0.0);
  };
  const double squares =
      std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0) +
      std::inner_product(dx.begin(), dx.end(), dx.begin(), 0.0);
  const float step = 1e-3F / static_cast<float>(std::sqrt(squares));
  EXPECT_NEAR((objective(step) - objective(-step)) / (2.0 * step), squares, 0.02 * squares);
}

TEST_P(CtrModels, InitialValuesAreAFunctionOfTheSeed) {
  const auto model = make_ctr_model(GetParam(), kShape, small_options());
  Values one(static_cast<std::size_t>(model->parameter_count()), 9.0F);
  Values same = one;
  Values other = one;
  model->initialise(1, one.data());
  model->initialise(1, same.data());
  model->initialise(2, other.data());
  EXPECT_EQ(one, same);
  EXPECT_NE(one, other);
  EXPECT_EQ(std::count(one.begin(), one.end(), 9.0F), 0);
}

INSTANTIATE_TEST_SUITE_P(Names, CtrModels, ::testing::ValuesIn(ctr_model_names()),
                         [](const auto& info) { return info.param; });

TEST(MakeCtrModel, RefusesAnUnknownName) {
  rallrec::testing::expect_error(ExitCode::kUsage, "did you mean 'deep_fm'",
                                 [] { make_ctr_model("deepfm", kShape, small_options()); });
}

}  // namespace
}  // namespace rallrec::models::ctr
