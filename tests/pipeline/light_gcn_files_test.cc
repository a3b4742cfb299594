#include "pipeline/light_gcn_files.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/npy.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::TemporaryFolder;

// Two groups that keep to themselves. `part` picks a share of the pairs inside a group.
std::string inter_rows(int part) {
  std::string rows = "user_id:token\titem_id:token\n";
  for (int u = 0; u < 40; ++u) {
    for (int i = u % 2; i < 30; i += 2) {
      const int draw = (u / 2 + i / 2) % 6;
      if (part == 0 ? draw < 3 : draw == 3) {
        rows += "u" + std::to_string(u) + "\ti" + std::to_string(i) + "\n";
      }
    }
  }
  return rows;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::istringstream stream(io::read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

class LightGcnFilesTest : public ::testing::Test {
 protected:
  LightGcnFilesTest() {
    files_.interactions = folder_.path() + "/train.inter";
    files_.test = folder_.path() + "/test.inter";
    files_.output = folder_.path() + "/out";
    io::write_file_atomically(files_.interactions, inter_rows(0));
    io::write_file_atomically(files_.test, inter_rows(1) + "u0\tonly_in_test\n");
    options_.light_gcn.embedding_size = 8;
    options_.light_gcn.batch_size = 64;
    options_.light_gcn.epochs = 15;
    options_.light_gcn.learning_rate = 0.02;
  }

  nlohmann::json run() {
    distributed::LocalCommunicator communicator;
    light_gcn_on_files(files_, options_, communicator);
    return nlohmann::json::parse(io::read_file(files_.output + "/metrics.json"));
  }

  TemporaryFolder folder_;
  LightGcnFiles files_;
  config::Options options_;
};

using Pairs = std::set<std::pair<std::string, std::string>>;

Pairs pairs_of(const std::string& path) {
  Pairs pairs;
  for (const std::string& line : lines_of(path)) {
    pairs.emplace(line.substr(0, line.find('\t')), line.substr(line.find('\t') + 1));
  }
  return pairs;
}

// recall@10 from the written files alone.
double recall_of_files(const LightGcnFiles& files) {
  const auto users = lines_of(files.output + "/users.txt");
  const auto items = lines_of(files.output + "/items.txt");
  const auto u = io::read_npy_matrix(files.output + "/user_embeddings.npy");
  const auto v = io::read_npy_matrix(files.output + "/item_embeddings.npy");
  const Pairs train = pairs_of(files.interactions), test = pairs_of(files.test);
  double sum = 0.0;
  int counted = 0;
  for (std::size_t a = 0; a < users.size(); ++a) {
    std::vector<std::pair<double, std::size_t>> order;
    int relevant = 0, hits = 0;
    for (std::size_t b = 0; b < items.size(); ++b) {
      double score = 0.0;
      for (std::int64_t k = 0; k < u.columns; ++k) {
        score += double{u.values[a * u.columns + k]} * v.values[b * v.columns + k];
      }
      relevant += test.count({users[a], items[b]}) != 0;
      if (train.count({users[a], items[b]}) == 0) {
        order.emplace_back(-score, b);
      }
    }
    std::sort(order.begin(), order.end());
    for (std::size_t place = 0; place < 10 && place < order.size(); ++place) {
      hits += test.count({users[a], items[order[place].second]}) != 0;
    }
    counted += relevant > 0;
    sum += relevant > 0 ? static_cast<double>(hits) / relevant : 0.0;
  }
  return sum / counted;
}

TEST_F(LightGcnFilesTest, WritesVectorsThatGiveTheMetrics) {
  const auto metrics = run();
  EXPECT_EQ(metrics.at("items"), 31);
  EXPECT_EQ(metrics.at("users"), 40);
  EXPECT_EQ(metrics.at("epochs"), 15);
  EXPECT_EQ(metrics.at("best_epoch"), 15);
  EXPECT_NEAR(metrics.at("recall@10").get<double>(), recall_of_files(files_), 1e-9);
  EXPECT_GT(metrics.at("recall@10").get<double>(), 0.8);
  EXPECT_GT(metrics.at("ndcg@10").get<double>(), 0.3);
  EXPECT_FALSE(metrics.contains("valid_recall@20"));
}

TEST_F(LightGcnFilesTest, ChoosesTheEpochByTheValidFile) {
  files_.valid = files_.test;
  files_.test.clear();
  const auto metrics = run();
  EXPECT_FALSE(metrics.contains("recall@10"));
  EXPECT_GT(metrics.at("valid_recall@20").get<double>(), 0.8);
  EXPECT_EQ(metrics.at("best_epoch").get<int>() % 5, 0);
}

TEST_F(LightGcnFilesTest, WritesTheSameFilesOnTwoRanks) {
  run();
  const std::string items = io::read_file(files_.output + "/item_embeddings.npy");
  const std::string users = io::read_file(files_.output + "/user_embeddings.npy");
  files_.output = folder_.path() + "/two";
  distributed::run_thread_ranks(2, [&](distributed::Communicator& communicator) {
    light_gcn_on_files(files_, options_, communicator);
  });
  EXPECT_EQ(io::read_file(files_.output + "/item_embeddings.npy"), items);
  EXPECT_EQ(io::read_file(files_.output + "/user_embeddings.npy"), users);
}

TEST_F(LightGcnFilesTest, NamesThePlaceOfAMalformedRow) {
  io::write_file_atomically(files_.test, inter_rows(1) + "u1\n");
  const auto line = std::to_string(lines_of(files_.test).size());
  rallrec::testing::expect_error(ExitCode::kBadData, "test.inter:" + line, [&] { run(); });
  EXPECT_FALSE(io::file_exists(files_.output));
}

TEST_F(LightGcnFilesTest, AFileWithoutEdgesIsNamed) {
  const std::string header = "user_id:token\titem_id:token\n";
  const auto expect_bad = [&](const std::string& text) {
    rallrec::testing::expect_error(ExitCode::kBadData, text, [&] { run(); });
    EXPECT_FALSE(io::file_exists(files_.output));
  };
  io::write_file_atomically(files_.test, header);
  expect_bad("test.inter: holds no interaction");
  files_.test.clear();
  io::write_file_atomically(files_.interactions, header + "u1\ti1\nu1\ti2\n");
  expect_bad("train.inter: every user has every item");
}

}  // namespace
}  // namespace rallrec::pipeline
