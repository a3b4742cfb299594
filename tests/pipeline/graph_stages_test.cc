// light_gcn, align and retrieve one after the other in a run folder.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "data/dataset_file.h"
#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "io/hdf5_file.h"
#include "io/npy.h"
#include "pipeline/align.h"
#include "pipeline/item_blocks.h"
#include "pipeline/light_gcn.h"
#include "pipeline/prompt_samples.h"
#include "pipeline/retrieve.h"
#include "retrieval/neighbours_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/random_floats.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::random_floats;

constexpr int kUsers = 24;
constexpr int kItems = 30;

data::RawData made_up_rows() {
  data::RawData raw;
  raw.source = "made up";
  for (int item = 0; item < kItems; ++item) {
    raw.items.add(std::to_string(item));
  }
  Rng rng(2);
  for (int row = 0; row < 500; ++row) {
    const auto user = static_cast<std::int32_t>(rng.next_below(kUsers));
    const auto item = static_cast<std::int32_t>(2 * rng.next_below(kItems / 2 - 1) + user % 2);
    raw.interactions.user.push_back(raw.users.add("user " + std::to_string(user)));
    raw.interactions.item.push_back(item);
    raw.interactions.rating.push_back(static_cast<float>(1 + rng.next_below(5)));
    raw.interactions.timestamp.push_back(row);
  }
  return raw;
}

data::Dataset made_up() { return build_dataset(made_up_rows(), {}); }

// As the public code makes Book-Crossing: no timestamps, one sample per user.
data::Dataset made_up_without_timestamps() {
  data::RawData raw = made_up_rows();
  raw.interactions.timestamp.clear();
  config::DataOptions options;
  options.order = "shuffle";
  options.samples = "last_per_user";
  options.split = "shuffle";
  return build_dataset(std::move(raw), options);
}

class GraphStages : public ::testing::Test {
 protected:
  GraphStages() {
    options_.light_gcn.embedding_size = 6;
    options_.light_gcn.epochs = 10;
    options_.light_gcn.batch_size = 100;
    options_.align.hidden_size = 12;
    options_.align.steps = 20;
    options_.prompt.k = 4;
  }

  void prepare(const std::string& run) {
    for (const std::string stage : {"ingest", "embed", "light_gcn", "align", "retrieve"}) {
      io::make_directories(run + "/" + stage);
    }
    data::save_dataset(run + "/ingest/interactions.h5", made_up());
    const auto text = random_floats(kItems * 10, 4);
    io::Hdf5Writer file(run + "/embed/text_embeddings.h5");
    file.add_matrix("text", text.data(), kItems, 10);
    file.commit();
  }

  std::string run_on(int ranks) {
    const std::string run = folder_.path() + "/run" + std::to_string(ranks);
    prepare(run);
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      StageContext context{options_, communicator, run};
      run_light_gcn(context);
      run_align(context);
      run_retrieve(context);
      EXPECT_GT(context.report.figures().size(), 5u);
    });
    return run;
  }

  rallrec::testing::TemporaryFolder folder_;
  config::Options options_;
};

double norm_of_row(const std::vector<float>& values, std::int64_t row, std::int64_t width) {
  double square = 0.0;
  for (std::int64_t k = 0; k < width; ++k) {
    square += double{values[row * width + k]} * values[row * width + k];
  }
  return std::sqrt(square);
}

TEST_F(GraphStages, WriteVectorsForItemsWithAnEdgeAndNeighboursForPromptSamples) {
  const std::string run = run_on(1);
  const io::Hdf5File graph(run + "/light_gcn/graph_embeddings.h5");
  const auto items = graph.read_matrix<float>("item");
  EXPECT_EQ(graph.info("item").shape, (std::vector<std::int64_t>{kItems, 6}));
  EXPECT_EQ(graph.info("user").shape, (std::vector<std::int64_t>{kUsers, 6}));
  // The last two items have no interaction.
  EXPECT_EQ(norm_of_row(items, kItems - 1, 6), 0.0);
  EXPECT_EQ(norm_of_row(items, kItems - 2, 6), 0.0);
  EXPECT_GT(norm_of_row(items, 0, 6), 0.0);
  const io::Hdf5File aligned(run + "/align/aligned_embeddings.h5");
  const auto ssl = aligned.read_matrix<float>("ssl");
  EXPECT_EQ(aligned.info("ssl").shape, (std::vector<std::int64_t>{kItems, 6}));
  EXPECT_GT(norm_of_row(ssl, kItems - 1, 6), 0.0);
  const auto loss = aligned.read<double>("loss");
  EXPECT_EQ(loss.size(), 20u);
  EXPECT_LT(loss.back(), loss.front());
  const data::Dataset dataset = made_up();
  const auto neighbours = retrieval::load_neighbours(run + "/retrieve/neighbours.h5", dataset);
  EXPECT_EQ(neighbours.samples, prompt_samples(dataset.samples, options_.prompt).all());
  EXPECT_GT(neighbours.places.size(), 3 * neighbours.samples.size());
}

TEST_F(GraphStages, WriteTheSameBytesOnAnyNumberOfRanks) {
  const std::string one = run_on(1), three = run_on(3);
  for (const std::string file : {"/light_gcn/graph_embeddings.h5", "/align/aligned_embeddings.h5",
                                 "/retrieve/neighbours.h5"}) {
    EXPECT_EQ(io::read_file(one + file), io::read_file(three + file)) << file;
  }
}

TEST_F(GraphStages, TrainOnNoEdgeOfValidOrTestInModeClean) {
  options_.light_gcn.edges = "up_to_last_train";
  const std::string run = folder_.path() + "/clean";
  prepare(run);
  distributed::LocalCommunicator communicator;
  StageContext context{options_, communicator, run};
  run_light_gcn(context);
  const data::Dataset dataset = made_up();
  const std::int64_t last = dataset.samples.row[dataset.samples.train_end - 1];
  std::set<std::pair<std::int32_t, std::int32_t>> pairs;
  for (std::int64_t row = 0; row <= last; ++row) {
    pairs.emplace(dataset.interactions.user[row], dataset.interactions.item[row]);
  }
  EXPECT_EQ(context.report.figures().front().first, "edges");
  EXPECT_EQ(std::get<std::int64_t>(context.report.figures().front().second),
            static_cast<std::int64_t>(pairs.size()));
  const io::Hdf5File graph(run + "/light_gcn/graph_embeddings.h5");
  EXPECT_EQ(graph.int_attribute("best_epoch"), options_.light_gcn.epochs);
}

// The text of made-up items is their title followed by their description.
TEST_F(GraphStages, RetrieveByTitleReadsTheHalfThatHoldsTitles) {
  const std::string run = folder_.path() + "/title";
  prepare(run);
  distributed::LocalCommunicator communicator;
  StageContext context{options_, communicator, run};
  options_.retrieve.blocks = {"title"};
  run_retrieve(context);
  const std::string halves = io::read_file(run + "/retrieve/neighbours.h5");
  const auto text = random_floats(kItems * 10, 4);
  std::vector<float> title;
  for (int item = 0; item < kItems; ++item) {
    title.insert(title.end(), text.begin() + 10 * item, text.begin() + 10 * item + 5);
  }
  io::Hdf5Writer file(run + "/embed/text_embeddings.h5");
  file.add_matrix("title", title.data(), kItems, 5);
  file.commit();
  run_retrieve(context);
  EXPECT_EQ(io::read_file(run + "/retrieve/neighbours.h5"), halves);
  options_.retrieve.blocks = {"text"};
  rallrec::testing::expect_error(ExitCode::kBadData, "holds titles alone",
                                 [&] { run_retrieve(context); });
}

TEST_F(GraphStages, TheTextBlockIsWhatDeviationsLeaveOfIt) {
  const std::string run = folder_.path() + "/narrow";
  prepare(run);
  distributed::run_thread_ranks(2, [&](distributed::Communicator& communicator) {
    config::Options options = options_;
    StageContext context{options, communicator, run};
    EXPECT_EQ(read_text_block(context, kItems).columns, 10);
    options.refcompat.description_only = true;
    const EmbeddingMatrix description = read_text_block(context, kItems);
    EXPECT_EQ(description.columns, 5);
    EXPECT_EQ(description.values[7], random_floats(kItems * 10, 4)[10 + 5 + 2]);
    options.refcompat.pca_text = 3;
    EXPECT_EQ(read_text_block(context, kItems).columns, 3);
    options.refcompat.pca_text = 128;
    EXPECT_EQ(read_text_block(context, kItems).columns, 5);
  });
}

TEST_F(GraphStages, TrainingSamplesAreRetrievedByTextWhereTheAdapterIs) {
  const std::string run = run_on(1);
  distributed::LocalCommunicator communicator;
  StageContext context{options_, communicator, run};
  const data::Dataset dataset = made_up();
  const auto retrieved = [&] {
    run_retrieve(context);
    return retrieval::load_neighbours(run + "/retrieve/neighbours.h5", dataset);
  };
  const auto mixed = retrieved();
  options_.retrieve.blocks = {"text"};
  const auto text = retrieved();
  options_.retrieve.blocks = {"text", "colla", "ssl"};
  options_.refcompat.text_adapter = true;
  const auto both = retrieved();
  EXPECT_EQ(both.samples, mixed.samples);
  EXPECT_NE(mixed.places, text.places);
  const auto list = [](const retrieval::Neighbours& neighbours, std::int32_t sample) {
    const auto places = neighbours.of(sample);
    return std::vector<std::int32_t>(places.begin(), places.end());
  };
  for (const std::int32_t sample : both.samples) {
    const bool trains = sample < dataset.samples.train_end;
    EXPECT_EQ(list(both, sample), list(trains ? text : mixed, sample)) << sample;
  }
}

TEST_F(GraphStages, AmazonsHybridFindsNothingWhereAsked) {
  const std::string run = run_on(1);
  distributed::LocalCommunicator communicator;
  StageContext context{options_, communicator, run};
  options_.retrieve.blocks = {"text", "colla"};
  options_.refcompat.amazon_hybrid_empty = true;
  run_retrieve(context);
  const auto kept = retrieval::load_neighbours(run + "/retrieve/neighbours.h5", made_up());
  EXPECT_FALSE(kept.places.empty());
  options_.retrieve.hybrid = "counts";
  run_retrieve(context);
  const auto none = retrieval::load_neighbours(run + "/retrieve/neighbours.h5", made_up());
  EXPECT_EQ(none.samples, kept.samples);
  EXPECT_TRUE(none.places.empty());
}

TEST_F(GraphStages, LetTwoBlocksShareTheList) {
  const std::string run = run_on(1);
  distributed::LocalCommunicator communicator;
  StageContext context{options_, communicator, run};
  const data::Dataset dataset = made_up();
  const auto retrieved = [&](const std::vector<std::string>& blocks, const std::string& hybrid) {
    options_.retrieve.blocks = blocks;
    options_.retrieve.hybrid = hybrid;
    run_retrieve(context);
    return retrieval::load_neighbours(run + "/retrieve/neighbours.h5", dataset);
  };
  const auto text = retrieved({"text"}, "none");
  const auto counts = retrieved({"text", "colla"}, "counts");
  const auto scores = retrieved({"text", "colla"}, "scores");
  EXPECT_EQ(counts.offsets, text.offsets);
  EXPECT_EQ(scores.offsets, text.offsets);
  EXPECT_NE(counts.places, text.places);
  EXPECT_NE(scores.places, counts.places);
  for (std::size_t list = 0; list < text.samples.size(); ++list) {
    for (std::int64_t r = text.offsets[list]; r < text.offsets[list] + 2; ++r) {
      EXPECT_EQ(counts.places[r], text.places[r]) << list;
    }
  }
}

TEST_F(GraphStages, WorkWithoutTimestamps) {
  options_.light_gcn.edges = "up_to_last_train";
  const data::Dataset dataset = made_up_without_timestamps();
  const std::string run = folder_.path() + "/untimed";
  prepare(run);
  data::save_dataset(run + "/ingest/interactions.h5", dataset);
  distributed::LocalCommunicator communicator;
  StageContext context{options_, communicator, run};
  run_light_gcn(context);
  run_align(context);
  run_retrieve(context);
  ASSERT_EQ(dataset.samples.size(), kUsers);
  const auto neighbours = retrieval::load_neighbours(run + "/retrieve/neighbours.h5", dataset);
  EXPECT_EQ(neighbours.samples.size(), static_cast<std::size_t>(kUsers));
  EXPECT_GT(neighbours.places.size(), 3 * neighbours.samples.size());
  std::set<std::pair<std::int32_t, std::int32_t>> pairs;
  for (std::int32_t row = 0; row <= dataset.samples.row[dataset.samples.train_end - 1]; ++row) {
    pairs.emplace(dataset.interactions.user[row], dataset.interactions.item[row]);
  }
  EXPECT_EQ(std::get<std::int64_t>(context.report.figures().front().second),
            static_cast<std::int64_t>(pairs.size()));
}

TEST_F(GraphStages, RefuseEmbeddingsOfAnotherCatalogue) {
  const std::string run = run_on(1);
  const auto text = random_floats(10 * 3, 4);
  io::Hdf5Writer file(run + "/embed/text_embeddings.h5");
  file.add_matrix("text", text.data(), 3, 10);
  file.commit();
  distributed::LocalCommunicator communicator;
  StageContext context{options_, communicator, run};
  rallrec::testing::expect_error(ExitCode::kBadData, "rows", [&] { run_align(context); });
  rallrec::testing::expect_error(ExitCode::kBadData, "array 'text'",
                                 [&] { run_retrieve(context); });
}

TEST_F(GraphStages, AlignWorksOnAPersonsOwnMatrices) {
  const auto text = random_floats(40 * 7, 1), graph = random_floats(40 * 3, 2);
  AlignFiles files{folder_.file("text.npy"), folder_.file("graph.npy"), folder_.file("out.npy")};
  io::write_npy(files.text, text.data(), {40, 7});
  io::write_npy(files.graph, graph.data(), {40, 3});
  distributed::LocalCommunicator communicator;
  align_on_files(files, options_, communicator);
  const auto out = io::read_npy_matrix(files.output);
  EXPECT_EQ(out.rows, 40);
  EXPECT_EQ(out.columns, 3);
  double cosine = 0.0;
  for (std::int64_t row = 0; row < 40; ++row) {
    double dot = 0.0;
    for (std::int64_t k = 0; k < 3; ++k) {
      dot += double{out.values[row * 3 + k]} * graph[row * 3 + k];
    }
    cosine += dot / norm_of_row(out.values, row, 3) / norm_of_row(graph, row, 3) / 40.0;
  }
  EXPECT_GT(cosine, 0.1);
  io::write_npy(files.graph, graph.data(), {39, 3});
  rallrec::testing::expect_error(ExitCode::kBadData, "graph.npy",
                                 [&] { align_on_files(files, options_, communicator); });
}

}  // namespace
}  // namespace rallrec::pipeline
