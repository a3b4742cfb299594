#include "kernels/attention.h"

#include <limits>

#include "core/error.h"
#include "tests/kernels/attention_problem.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::ThreadCountGuard;

const std::vector<std::int64_t> kLengths = {1, 0, 2, 47, 48, 49, 100, 7};
constexpr std::int64_t kRows = 254;

// A few queries of each sequence of `kLengths`: none, one, its last, many (more than a block of
// rows), and the same one twice. With a prefix, one of them stands inside it.
struct ChosenQueries {
  std::vector<std::vector<std::int64_t>> positions = {{0},  {},         {0, 1}, {},
                                                      {20}, {3, 3, 48}, {},     {2}};
  std::vector<AttentionSequence> sequences = packed(kLengths);
  std::int64_t rows = 0;

  explicit ChosenQueries(std::int64_t prefix) {
    for (std::int64_t i = 0; i < 60; ++i) {
      positions[6].push_back(i + (i > 30 ? 39 : 7));
    }
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      for (std::int64_t& position : positions[s]) {
        position += prefix;
      }
      sequences[s].query_begin = rows;
      sequences[s].queries = std::int64_t(positions[s].size());
      sequences[s].positions = positions[s].data();
      rows += sequences[s].queries;
    }
    positions[2][0] = std::max(prefix - 1, std::int64_t{0});
  }
};

class Attention : public rallrec::testing::DeviceTest<AttentionShape> {};

TEST_P(Attention, PackedSequencesEqualTheDefinition) {
  const Problem problem(shape(), packed(kLengths), kRows, kRows, 0);
  problem.check_forward(device());
  if (queue().device == Device::kCpu) {
    const ThreadCountGuard threads(3);
    problem.check_forward(device());
  }
}

TEST_P(Attention, CachedKeysAndSharedPrefixEqualTheDefinition) {
  // Queries at the end of longer key ranges that lie in another order than the queries.
  std::vector<AttentionSequence> sequences = {
      {0, 1, 60, 30}, {1, 5, 0, 5}, {6, 1, 10, 1}, {7, 50, 90, 64}};
  for (std::int64_t prefix : {0, 1, 37}) {
    if (prefix > 1) {
      // No keys of its own.
      sequences.push_back({57, 2, 160, 0});
    }
    Problem(shape(), sequences, 59, 160, prefix).check_forward(device());
  }
}

TEST_P(Attention, BackwardEqualsDifferencesOfTheDefinition) {
  check_backward(device(), Problem(shape(), packed(kLengths), kRows, kRows, 0));
}

TEST_P(Attention, ChosenQueriesEqualTheDefinition) {
  const ChosenQueries chosen(0);
  const Problem problem(shape(), chosen.sequences, chosen.rows, kRows, 0);
  problem.check_forward(device());
  check_backward(device(), problem);
  const ChosenQueries behind(19);
  Problem(shape(), behind.sequences, behind.rows, kRows, 19).check_forward(device());
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Attention,
    rallrec::testing::on_every_device(AttentionShape{9, 3, 64}, AttentionShape{4, 4, 16},
                                      AttentionShape{2, 1, 6}, AttentionShape{7, 1, 24},
                                      AttentionShape{1, 1, 2}, AttentionShape{2, 1, 128}),
    rallrec::testing::device_and_number<Attention::ParamType>);

// Rows and keys about the edges of a GPU's tiles of 64 and 32, and heads as wide as 1, 2, 3 and 4
// of them, with and without loads of four floats.
class AttentionTiles : public rallrec::testing::DeviceTest<AttentionShape> {};

TEST_P(AttentionTiles, EqualTheDefinition) {
  const Problem problem(shape(), packed({32, 65, 0, 64, 1}), 162, 162, 0);
  problem.check_forward(device());
  check_backward(device(), problem);
  // As many keys as two tiles and one more; queries that see none of the last tile.
  const std::vector<std::int64_t> positions = {0, 62, 63, 64, 100};
  const Problem few(shape(), {{0, 5, 0, 129, positions.data()}}, 5, 129, 0);
  few.check_forward(device());
  check_backward(device(), few);
}

INSTANTIATE_TEST_SUITE_P(Shapes, AttentionTiles,
                         rallrec::testing::on_every_device(AttentionShape{2, 1, 4},
                                                           AttentionShape{3, 1, 65},
                                                           AttentionShape{1, 1, 100},
                                                           AttentionShape{1, 1, 130},
                                                           AttentionShape{1, 1, 256}),
                         rallrec::testing::device_and_number<AttentionTiles::ParamType>);

class AttentionBits : public rallrec::testing::DeviceTest<AttentionShape> {
 protected:
  bool on_gpu() { return queue().device == Device::kCuda; }
};

// The queries of a sequence behind the prefix that its first rows are.
TEST_P(AttentionBits, APrefixChangesNoBit) {
  using Counts = std::vector<std::int64_t>;
  for (const std::int64_t prefix : on_gpu() ? Counts{5, 64} : Counts{2, 5, 16, 49}) {
    // A single query is promised nothing on the CPU.
    for (const std::int64_t own : on_gpu() ? Counts{1, 70} : Counts{2, 3, 17, 100}) {
      const std::int64_t rows = prefix + own;
      const Problem whole(shape(), packed({rows}), rows, rows, 0);
      Values want;
      Values want_lse;
      whole.run(device(), want, want_lse);
      Problem behind(shape(), {{prefix, own, prefix, own}}, rows, rows, prefix);
      behind.prefix_k = whole.k;
      behind.prefix_v = whole.v;
      Values got;
      Values lse;
      behind.run(device(), got, lse);
      const std::int64_t skipped = prefix * shape().heads;
      EXPECT_TRUE(std::equal(got.begin() + skipped * shape().head_dim, got.end(),
                             want.begin() + skipped * shape().head_dim))
          << prefix << " and " << own;
      EXPECT_TRUE(std::equal(lse.begin() + skipped, lse.end(), want_lse.begin() + skipped));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, AttentionBits,
                         rallrec::testing::on_every_device(AttentionShape{6, 2, 4},
                                                           AttentionShape{4, 4, 24},
                                                           AttentionShape{9, 3, 64}),
                         rallrec::testing::device_and_number<AttentionBits::ParamType>);

class AttentionSequences : public rallrec::testing::DeviceTest<int> {
 protected:
  // The results of sequence s are the same bits with it alone and among all of a problem without a
  // prefix.
  void expect_alone(const Problem& all, std::size_t s) {
    const Values d_o = random_values(std::int64_t(all.q.size()), 9);
    Problem one = all;
    one.sequences = {all.sequences[s]};
    const AttentionSequence& place = all.sequences[s];
    const std::int64_t width = all.shape.heads * all.shape.head_dim;
    const std::int64_t key_width = all.shape.kv_heads * all.shape.head_dim;
    Values together, alone, lse, alone_lse;
    all.run(device(), together, lse);
    one.run(device(), alone, alone_lse);
    expect_equal(together, alone, place.query_begin * width, place.queries * width);
    expect_equal(lse, alone_lse, place.query_begin * all.shape.heads,
                 place.queries * all.shape.heads);
    const Gradients want = gradients_of(device(), all, d_o);
    const Gradients got = gradients_of(device(), one, d_o);
    expect_equal(want.dq, got.dq, place.query_begin * width, place.queries * width);
    expect_equal(want.dk, got.dk, place.key_begin * key_width, place.keys * key_width);
    expect_equal(want.dv, got.dv, place.key_begin * key_width, place.keys * key_width);
  }

  static void expect_equal(const Values& a, const Values& b, std::int64_t first,
                           std::int64_t count) {
    EXPECT_TRUE(std::equal(a.begin() + first, a.begin() + first + count, b.begin() + first));
  }
};

TEST_P(AttentionSequences, BitsDoNotDependOnNeighbours) {
  expect_alone(Problem({6, 2, 8}, packed({20, 33, 5}), 58, 58, 0), 1);
}

// More than a launch on a GPU takes, some of them empty.
TEST_P(AttentionSequences, ManyEqualTheDefinitionAndThemselvesAlone) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t s = 0; s < 131; ++s) {
    lengths.push_back((s + 1) % 4);
  }
  const std::int64_t rows = 198;
  const Problem problem({2, 1, 3}, packed(lengths), rows, rows, 0);
  ASSERT_EQ(problem.sequences.back().key_begin + problem.sequences.back().keys, rows);
  problem.check_forward(device());
  check_backward(device(), problem);
  expect_alone(problem, 64);
}

// On a GPU, where also a single query is promised it.
TEST_P(AttentionSequences, BitsDoNotDependOnTheOtherQueries) {
  const std::vector<std::int64_t> positions = {0, 40, 63, 64, 69};
  for (const std::size_t count : {std::size_t{2}, std::size_t{5}, std::size_t{1}}) {
    if (count == 1 && queue().device == Device::kCpu) {
      break;
    }
    Problem all({2, 1, 8}, packed({70}), 70, 70, 0);
    Values want, got, want_lse, lse;
    all.run(device(), want, want_lse);
    Problem some({2, 1, 8}, {{0, std::int64_t(count), 0, 70, positions.data()}}, 5, 70, 0);
    for (std::size_t i = 0; i < 5; ++i) {
      std::copy_n(all.q.begin() + positions[i] * 16, 16, some.q.begin() + std::int64_t(i) * 16);
    }
    some.run(device(), got, lse);
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = want.begin() + positions[i] * 16;
      EXPECT_TRUE(std::equal(at, at + 16, got.begin() + std::int64_t(i) * 16)) << i;
      EXPECT_EQ(want_lse[std::size_t(positions[i]) * 2], lse[i * 2]);
    }
  }
}

TEST_P(AttentionSequences, TheLogSumExpMayBeLeftOut) {
  const Problem problem({2, 2, 5}, packed({9}), 9, 9, 0);
  Values want;
  Values lse;
  problem.run(device(), want, lse);
  const Problem::OnDevice x(device(), problem);
  const auto o = on_device(Values(want.size(), -7.0F));
  attention(queue(), problem.shape, x.sequences, x.prefix, x.q.get(), x.k.get(), x.v.get(), o.get(),
            nullptr);
  EXPECT_EQ(o.host(), want);
}

TEST_P(AttentionSequences, PositionsOutsideAreRefusedOrTakenToTheNearestKey) {
  const std::vector<std::int64_t> outside = {-5, 3, std::numeric_limits<std::int64_t>::max()};
  const std::vector<std::int64_t> inside = {0, 3, 6};
  const Problem wild({1, 1, 4}, {{0, 3, 0, 7, outside.data()}}, 3, 7, 0);
  const Problem tame({1, 1, 4}, {{0, 3, 0, 7, inside.data()}}, 3, 7, 0);
  Values want, got, want_lse, lse;
  tame.run(device(), want, want_lse);
  if (queue().device == Device::kCpu) {
    EXPECT_THROW(wild.run(device(), got, lse), Error);
    return;
  }
  wild.run(device(), got, lse);
  EXPECT_EQ(got, want);
  EXPECT_EQ(lse, want_lse);
  const Values d_o = random_values(12, 9);
  EXPECT_EQ(gradients_of(device(), wild, d_o).dk, gradients_of(device(), tame, d_o).dk);
  const Problem keyless({1, 1, 4}, {{0, 3, 0, 0, outside.data()}}, 3, 0, 0);
  keyless.run(device(), got, lse);
  EXPECT_EQ(got, Values(12, 0.0F));
  EXPECT_EQ(lse, Values(3, -std::numeric_limits<float>::infinity()));
  EXPECT_EQ(gradients_of(device(), keyless, d_o).dq, Values(12, 0.0F));
}

INSTANTIATE_TEST_SUITE_P(Devices, AttentionSequences, rallrec::testing::on_every_device(0),
                         rallrec::testing::device_and_number<AttentionSequences::ParamType>);

TEST(AttentionErrors, BadShapesAreRefused) {
  EXPECT_THROW(attention({}, {3, 2, 4}, {}, {}, nullptr, nullptr, nullptr, nullptr, nullptr),
               Error);
  EXPECT_THROW(
      attention({}, {2, 2, 4}, {{0, 3, 0, 2}}, {}, nullptr, nullptr, nullptr, nullptr, nullptr),
      Error);
  const std::int64_t descending[] = {1, 0};
  const std::int64_t behind[] = {0, 2};
  for (const std::int64_t* positions : {descending, behind}) {
    EXPECT_THROW(attention({}, {2, 2, 4}, {{0, 2, 0, 2, positions}}, {}, nullptr, nullptr, nullptr,
                           nullptr, nullptr),
                 Error);
  }
  // What a GPU refuses is refused before anything is enqueued.
  const Queue cuda{Device::kCuda, nullptr};
  EXPECT_THROW(attention(cuda, {2, 2, 257}, {}, {}, nullptr, nullptr, nullptr, nullptr, nullptr),
               Error);
  EXPECT_THROW(
      attention(cuda, {2, 2, 4}, {{0, 3, 0, 2}}, {}, nullptr, nullptr, nullptr, nullptr, nullptr),
      Error);
  EXPECT_THROW(attention(cuda, {2, 2, 4}, {{0, 1, 0, std::int64_t{1} << 31}}, {}, nullptr, nullptr,
                         nullptr, nullptr, nullptr),
               Error);
}

}  // namespace
}  // namespace rallrec::kernels
