// Deviations of the authors' public code in what is retrieved and shown: the worked examples.
#include <gtest/gtest.h>

#include "distributed/local_communicator.h"
#include "kernels/unit_rows.h"
#include "pipeline/refcompat_embedding.h"
#include "pipeline/refcompat_history.h"
#include "pipeline/refcompat_retrieval.h"
#include "retrieval/embedding_mixture.h"
#include "retrieval/retriever.h"
#include "tests/support/one_user.h"

namespace rallrec::pipeline {
namespace {

using Places = std::vector<std::int32_t>;
using Ids = std::vector<std::int64_t>;

// Films 1 … 10.
data::Dataset one_user(const std::vector<int>& ids) {
  return rallrec::testing::one_user(1, 10, ids);
}

TEST(CosineRanking, WithTheLargestNormGivesTheWorkedValue) {
  const float text[] = {3.0f, 4.0f, 0.0f, 1.0f};
  const float colla[] = {1.0f, 0.0f, 0.0f, 2.0f};
  auto v =
      retrieval::mix_embeddings({{text, 2}, {colla, 2}}, 2, retrieval::BlockScale::kLargestNorm);
  kernels::unit_rows({}, 2, 4, v.data(), v.data(), nullptr);
  EXPECT_NEAR(v[0] * v[4] + v[1] * v[5] + v[2] * v[6] + v[3] * v[7], 0.1403, 5e-5);
}

// Ids of the two nearest to target 5 among a history of 3, 4 and 9, where 5, 4, 9, 2 are most
// similar in this order.
std::vector<std::string> two_nearest(const config::RefcompatOptions& flags) {
  const data::Dataset dataset = one_user({3, 4, 9, 5});
  std::vector<float> similarity(11, 0.0f);  // by row; the last is of no item
  similarity[4] = 1.0f;
  similarity[3] = 0.9f;
  similarity[8] = 0.8f;
  similarity[1] = 0.7f;
  retrieval::RetrievalTask task;
  task.dataset = &dataset;
  task.samples = {dataset.samples.size() - 1};
  task.vectors = {similarity.data(), 1};
  task.row_of = candidate_rows(dataset.items, flags);
  task.k = 2;
  distributed::LocalCommunicator communicator;
  const auto found = retrieval::retrieve_neighbours(task, communicator);
  std::vector<std::string> ids;
  for (const std::int32_t place : found.places) {
    ids.push_back(dataset.items.name(
        history_of(dataset, task.samples[0]).item(static_cast<std::size_t>(place))));
  }
  return ids;
}

TEST(IndexShift, ShowsTheFilmBeforeTheNeighbour) {
  config::RefcompatOptions flags;
  EXPECT_EQ(two_nearest(flags), (std::vector<std::string>{"4", "9"}));
  flags.ml1m_index_shift = true;
  EXPECT_EQ(two_nearest(flags), (std::vector<std::string>{"4", "3"}));
}

TEST(CandidateRows, AreShiftedToTheNextIdAndLeaveTheLastItemOut) {
  data::IdMap items;
  for (const char* id : {"1", "2", "4", "5", "x"}) {
    items.add(id);
  }
  config::RefcompatOptions flags;
  EXPECT_TRUE(candidate_rows(items, flags).empty());
  flags.ml1m_index_shift = true;
  EXPECT_EQ(candidate_rows(items, flags), (Places{1, 5, 3, 5, 5}));
  flags.drop_last_item = true;
  EXPECT_EQ(candidate_rows(items, flags), (Places{1, 5, 3, 5, -1}));
  flags.ml1m_index_shift = false;
  EXPECT_EQ(candidate_rows(items, flags), (Places{0, 1, 2, 3, -1}));
}

TEST(Joined, KeepsSamplesInOrder) {
  retrieval::Neighbours a;
  a.add(1, {3, 2}, {0.5f, 0.25f});
  a.add(7, {}, {});
  retrieval::Neighbours b;
  b.add(0, {1}, {1.0f});
  b.add(4, {9, 8}, {2.0f, 1.0f});
  for (const auto& all : {joined(a, b), joined(b, a)}) {
    EXPECT_EQ(all.samples, (Places{0, 1, 4, 7}));
    EXPECT_EQ(all.places, (Places{1, 3, 2, 9, 8}));
    EXPECT_EQ(all.offsets, (Ids{0, 1, 3, 5, 5}));
    EXPECT_EQ(all.scores, (std::vector<float>{1.0f, 0.5f, 0.25f, 2.0f, 1.0f}));
  }
  EXPECT_EQ(no_neighbours({2, 5}).offsets, (Ids{0, 0, 0}));
}

TEST(TrainsOnText, InARunThatTunesAndHasDescriptions) {
  config::Options options;
  EXPECT_FALSE(trains_on_text(options));
  options.refcompat.text_adapter = true;
  EXPECT_TRUE(trains_on_text(options));
  options.stages = {"ingest", "embed", "retrieve", "prompt", "tune"};
  EXPECT_FALSE(trains_on_text(options));
}

// A history a, b, a, c of ids 1, 2, 1, 3, and a target.
TEST(ShiftedPlaces, SkipTheNewestWhereItemsRepeat) {
  const data::Dataset dataset = one_user({1, 2, 1, 3, 9});
  const data::History history = history_of(dataset, dataset.samples.size() - 1);
  EXPECT_EQ(newest_by_shifted_places(history, {3, 2, 1}), (Places{2, 1}));
  const data::Dataset plain = one_user({1, 2, 4, 3, 9});
  EXPECT_EQ(newest_by_shifted_places(history_of(plain, plain.samples.size() - 1), {3, 2, 1, 0}),
            (Places{3, 2, 1, 0}));
}

// A model whose state is the position: of 5 tokens and 4 new ones the last it has read is at 7; of
// one new token it has read none, and the mean of positions 0 to 4 is 2.
TEST(GeneratedState, IsOfTheLastTokenThatTheModelHasRead) {
  const Ids text = {10, 11, 12, 13, 14};
  EXPECT_EQ(text_as_read(text, {1, 2, 3, 4}, 4), (Ids{10, 11, 12, 13, 14, 1, 2, 3}));
  EXPECT_EQ(text_as_read(text, {1, 2, 3, 4}, 4).size() - 1, 7U);
  EXPECT_TRUE(text_as_read(text, {1}, 1).empty());
  // A token that ends the text was written after the last of these, and not read.
  EXPECT_EQ(text_as_read(text, {1, 2}, 4), (Ids{10, 11, 12, 13, 14, 1, 2}));
  EXPECT_TRUE(text_as_read(text, {}, 4).empty());
}

}  // namespace
}  // namespace rallrec::pipeline
