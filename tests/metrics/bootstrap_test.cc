#include "metrics/bootstrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/rng.h"
#include "distributed/local_communicator.h"
#include "distributed/partition.h"
#include "distributed/thread_communicator.h"
#include "metrics/evaluation.h"
#include "metrics/log_loss.h"

namespace rallrec::metrics {
namespace {

// Positives score higher by `shift` standard deviations; users have `per_user` samples each.
ScoredSamples make_samples(std::size_t n, std::size_t per_user, double shift, std::uint64_t seed) {
  Rng rng(seed);
  ScoredSamples samples;
  for (std::size_t i = 0; i < n; ++i) {
    const auto label = static_cast<std::uint8_t>(rng.next_below(2));
    const double z = rng.next_normal() + (label != 0 ? shift : 0.0);
    samples.labels.push_back(label);
    samples.scores.push_back(1.0 / (1.0 + std::exp(-z)));
    samples.squashed.push_back(1.0 / (1.0 + std::exp(1.0 - 2.0 * samples.scores.back())));
    const auto user = static_cast<std::uint32_t>(i / per_user);
    if (user == samples.user_names.size()) {
      samples.user_names.push_back("user " + std::to_string(user));
    }
    samples.users.push_back(user);
  }
  return samples;
}

MetricIntervals intervals(const ScoredSamples& samples, const BootstrapOptions& options) {
  distributed::LocalCommunicator local;
  return bootstrap_intervals(local, samples, samples.scores,
                             AucRanking(samples.scores, samples.labels), options);
}

struct Resamples {
  std::vector<double> aucs;
  std::vector<double> losses;
};

// The same resamples, spelled out: the drawn users' samples are copied and the metrics taken of the
// copy.
Resamples copied_resamples(const ScoredSamples& samples, std::size_t per_user,
                           const BootstrapOptions& options) {
  Resamples found;
  const std::size_t users = samples.size() / per_user;
  for (std::int64_t number = 0; number < options.samples; ++number) {
    Rng rng(static_cast<std::uint64_t>(options.seed), static_cast<std::uint64_t>(number));
    std::vector<double> scores;
    std::vector<std::uint8_t> labels;
    for (std::size_t draw = 0; draw < users; ++draw) {
      const std::uint64_t user = rng.next_below(users);
      for (std::size_t i = user * per_user; i < (user + 1) * per_user; ++i) {
        scores.push_back(samples.scores[i]);
        labels.push_back(samples.labels[i]);
      }
    }
    found.aucs.push_back(*AucRanking(scores, labels).auc());
    found.losses.push_back(log_loss(scores, labels));
  }
  return found;
}

// Of 25 values: 0.025 · 24 = 0.6, between the first and the second.
Interval interval_of_25(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values[0] + 0.6 * (values[1] - values[0]), values[23] + 0.4 * (values[24] - values[23])};
}

TEST(Bootstrap, EqualsMetricsOfTheCopiedResamples) {
  const ScoredSamples samples = make_samples(60, 4, 0.8, 3);
  const BootstrapOptions options{25, 9};
  const Resamples expected = copied_resamples(samples, 4, options);
  const MetricIntervals found = intervals(samples, options);
  EXPECT_NEAR(found.auc->low, interval_of_25(expected.aucs).low, 1e-12);
  EXPECT_NEAR(found.auc->high, interval_of_25(expected.aucs).high, 1e-12);
  EXPECT_NEAR(found.log_loss->low, interval_of_25(expected.losses).low, 1e-12);
}

// Against theory: 1.96 standard errors of a share, and DeLong's asymptotic error of AUC.
TEST(Bootstrap, WidthsAreThoseOfTheory) {
  const ScoredSamples samples = make_samples(4000, 1, 1.0, 5);
  const MetricIntervals found = intervals(samples, {1000, 1});
  const double share = accuracy(samples.scores, samples.labels);
  const double expected = 2.0 * 1.96 * std::sqrt(share * (1.0 - share) / 4000.0);
  EXPECT_NEAR(found.accuracy->high - found.accuracy->low, expected, 0.12 * expected);
  const double auc = *AucRanking(samples.scores, samples.labels).auc();
  // Hanley and McNeil 1982 with equal classes.
  const double q1 = auc / (2.0 - auc);
  const double q2 = 2.0 * auc * auc / (1.0 + auc);
  const double variance =
      (auc * (1 - auc) + 1999.0 * (q1 - auc * auc) + 1999.0 * (q2 - auc * auc)) / (2000.0 * 2000.0);
  const double auc_width = 2.0 * 1.96 * std::sqrt(variance);
  EXPECT_NEAR(found.auc->high - found.auc->low, auc_width, 0.15 * auc_width);
  EXPECT_LT(found.auc->low, auc);
  EXPECT_GT(found.auc->high, auc);
}

// Copies of a sample add no information if they belong to one user.
TEST(Bootstrap, IsClusteredByUser) {
  ScoredSamples once = make_samples(500, 1, 1.0, 6);
  ScoredSamples repeated;
  repeated.user_names = once.user_names;
  for (std::size_t i = 0; i < once.size(); ++i) {
    for (int copy = 0; copy < 9; ++copy) {
      repeated.labels.push_back(once.labels[i]);
      repeated.scores.push_back(once.scores[i]);
      repeated.users.push_back(once.users[i]);
    }
  }
  const MetricIntervals a = intervals(once, {400, 2});
  const MetricIntervals b = intervals(repeated, {400, 2});
  EXPECT_NEAR(a.auc->low, b.auc->low, 1e-12);
  EXPECT_NEAR(a.log_loss->high, b.log_loss->high, 1e-12);
  std::fill(repeated.users.begin(), repeated.users.end(), ScoredSamples::kNoUser);
  const MetricIntervals independent = intervals(repeated, {400, 2});
  EXPECT_LT(independent.auc->high - independent.auc->low, 0.5 * (a.auc->high - a.auc->low));
}

// Better scores of the same samples.
ScoredSamples improved(const ScoredSamples& samples, double share = 0.2) {
  ScoredSamples better = samples;
  for (std::size_t i = 0; i < better.size(); ++i) {
    better.scores[i] =
        (1.0 - share) * better.scores[i] + share * (better.labels[i] != 0 ? 1.0 : 0.0);
  }
  return better;
}

TEST(BootstrapDifference, EqualsTheDifferencesOfTheCopiedResamples) {
  const ScoredSamples before = make_samples(60, 4, 0.3, 3);
  const ScoredSamples after = improved(before);
  const BootstrapOptions options{25, 9};
  const std::vector<double> first = copied_resamples(before, 4, options).aucs;
  std::vector<double> differences = copied_resamples(after, 4, options).aucs;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    differences[i] -= first[i];
  }
  const Interval expected = interval_of_25(differences);
  for (const int ranks : {1, 2, 3}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& group) {
      const EvaluationDifference found = evaluate_difference(group, before, after, options);
      ASSERT_EQ(found.n, 60);
      ASSERT_NEAR(*found.auc,
                  *AucRanking(after.scores, after.labels).auc() -
                      *AucRanking(before.scores, before.labels).auc(),
                  1e-12);
      ASSERT_NEAR(found.log_loss,
                  log_loss(after.scores, after.labels) - log_loss(before.scores, before.labels),
                  1e-12);
      ASSERT_NEAR(found.intervals.auc->low, expected.low, 1e-12);
      ASSERT_NEAR(found.intervals.auc->high, expected.high, 1e-12);
      ASSERT_LT(found.intervals.log_loss->high, 0.0);
    });
  }
}

// What both sets of scores share does not widen the interval of their difference.
TEST(BootstrapDifference, IsPaired) {
  const ScoredSamples before = make_samples(400, 4, 0.5, 11);
  const ScoredSamples after = improved(before, 0.02);
  distributed::LocalCommunicator local;
  const BootstrapOptions options{400, 2};
  const MetricIntervals paired = evaluate_difference(local, before, after, options).intervals;
  const MetricIntervals alone = intervals(after, options);
  EXPECT_LT(paired.auc->high - paired.auc->low, 0.2 * (alone.auc->high - alone.auc->low));
  EXPECT_GT(paired.auc->low, 0.0) << "seen although it is far smaller than either's interval";
  const MetricIntervals none = evaluate_difference(local, before, before, options).intervals;
  EXPECT_EQ(none.auc->low, 0.0);
  EXPECT_EQ(none.auc->high, 0.0);
}

TEST(BootstrapDifference, IsOfTheSameSamplesOnly) {
  const ScoredSamples samples = make_samples(20, 2, 1.0, 7);
  EXPECT_TRUE(same_samples(samples, improved(samples)));
  EXPECT_FALSE(same_samples(samples, samples.first(19)));
  ScoredSamples other = samples;
  other.labels[3] ^= 1;
  EXPECT_FALSE(same_samples(samples, other));
  other = samples;
  other.users[3] = 0;
  EXPECT_FALSE(same_samples(samples, other));
  other = samples;
  other.user_names[3] = "another";
  EXPECT_FALSE(same_samples(samples, other));
}

TEST(Bootstrap, IsEmptyWhereNothingCanBeComputed) {
  const ScoredSamples one_user = make_samples(10, 10, 1.0, 7);
  EXPECT_FALSE(intervals(one_user, {100, 1}).auc.has_value());
  EXPECT_FALSE(intervals(one_user, {100, 1}).log_loss.has_value());
  const ScoredSamples many = make_samples(10, 1, 1.0, 7);
  EXPECT_FALSE(intervals(many, {0, 1}).accuracy.has_value());
  ScoredSamples one_class = many;
  std::fill(one_class.labels.begin(), one_class.labels.end(), std::uint8_t{1});
  EXPECT_FALSE(intervals(one_class, {100, 1}).auc.has_value());
  EXPECT_TRUE(intervals(one_class, {100, 1}).log_loss.has_value());
}

ScoredSamples slice(const ScoredSamples& all, std::size_t begin, std::size_t end) {
  ScoredSamples part;
  for (std::size_t i = begin; i < end; ++i) {
    part.labels.push_back(all.labels[i]);
    part.scores.push_back(all.scores[i]);
    part.squashed.push_back(all.squashed[i]);
    if (all.users[i] == ScoredSamples::kNoUser) {
      part.users.push_back(ScoredSamples::kNoUser);
      continue;
    }
    const std::string& name = all.user_names[all.users[i]];
    const auto found = std::find(part.user_names.begin(), part.user_names.end(), name);
    part.users.push_back(static_cast<std::uint32_t>(found - part.user_names.begin()));
    if (found == part.user_names.end()) {
      part.user_names.push_back(name);
    }
  }
  return part;
}

void expect_equal(const std::optional<Interval>& a, const std::optional<Interval>& b) {
  ASSERT_TRUE(a.has_value() && b.has_value());
  EXPECT_EQ(a->low, b->low);
  EXPECT_EQ(a->high, b->high);
}

TEST(Evaluation, DoesNotDependOnTheRanks) {
  ScoredSamples all = make_samples(101, 7, 0.7, 8);
  all.user_names[2] = "";
  all.user_names[3] = std::string("12:\0é", 6);
  all.users[50] = all.users[100] = ScoredSamples::kNoUser;
  distributed::LocalCommunicator local;
  const Evaluation expected = evaluate_samples(local, gather_samples(local, all), {37, 4});
  for (const int ranks : {2, 3, 4}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& group) {
      // Rank 0 has nothing where there are four.
      const std::size_t begin = ranks == 4 && group.rank() == 0 ? 0 : 101U * group.rank() / ranks;
      const std::size_t cut = ranks == 4 && group.rank() == 1 ? 0 : begin;
      const std::size_t end =
          ranks == 4 && group.rank() == 0 ? 0 : 101U * (group.rank() + 1) / ranks;
      const ScoredSamples gathered = gather_samples(group, slice(all, cut, end));
      EXPECT_EQ(gathered.scores, all.scores);
      EXPECT_EQ(gathered.labels, all.labels);
      EXPECT_EQ(gathered.squashed, all.squashed);
      EXPECT_EQ(gathered.user_names, all.user_names);
      EXPECT_EQ(gathered.users, all.users);
      const Evaluation found = evaluate_samples(group, gathered, {37, 4});
      EXPECT_EQ(found.auc, expected.auc);
      EXPECT_EQ(found.log_loss, expected.log_loss);
      EXPECT_EQ(found.log_loss_squashed, expected.log_loss_squashed);
      expect_equal(found.intervals.auc, expected.intervals.auc);
      expect_equal(found.intervals.log_loss, expected.intervals.log_loss);
      expect_equal(found.intervals.accuracy, expected.intervals.accuracy);
      expect_equal(found.intervals_squashed.auc, expected.intervals_squashed.auc);
    });
  }
}

TEST(Evaluation, LeavesSquashedOutUnlessAllSamplesHaveIt) {
  const ScoredSamples all = make_samples(40, 2, 0.7, 8);
  distributed::run_thread_ranks(2, [&](distributed::Communicator& group) {
    ScoredSamples mine = slice(all, 20U * group.rank(), 20U * group.rank() + 20);
    if (group.rank() == 1) {
      mine.squashed.clear();
    }
    const Evaluation found = evaluate_samples(group, gather_samples(group, mine), {10, 1});
    EXPECT_EQ(found.n, 40);
    EXPECT_FALSE(found.log_loss_squashed.has_value());
    EXPECT_FALSE(found.auc_squashed.has_value());
  });
}

TEST(ScoredSamples, FirstTakesAPrefix) {
  const ScoredSamples all = make_samples(10, 3, 1.0, 9);
  EXPECT_EQ(all.first(4).scores, std::vector<double>(all.scores.begin(), all.scores.begin() + 4));
  EXPECT_EQ(all.first(4).users, (std::vector<std::uint32_t>{0, 0, 0, 1}));
  EXPECT_EQ(all.first(400).labels, all.labels);
}

}  // namespace
}  // namespace rallrec::metrics
