#include "pipeline/light_gcn_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/npy.h"
#include "pipeline/align.h"
#include "tests/support/expect_error.h"
#include "tests/support/random_floats.h"
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

// recall@10 from the written files alone: of each user of the test file the pairs that training has
// not, of which those with an id that the model does not know are misses.
double recall_of_files(const LightGcnFiles& files) {
  const auto users = lines_of(files.output + "/users.txt");
  const auto items = lines_of(files.output + "/items.txt");
  const auto u = io::read_npy_matrix(files.output + "/user_embeddings.npy");
  const auto v = io::read_npy_matrix(files.output + "/item_embeddings.npy");
  const Pairs train = pairs_of(files.interactions), test = pairs_of(files.test);
  std::map<std::string, std::set<std::string>> relevant;
  for (const auto& [user, item] : test) {
    if (user != "user_id:token" && train.count({user, item}) == 0) {
      relevant[user].insert(item);
    }
  }
  double sum = 0.0;
  for (std::size_t a = 0; a < users.size(); ++a) {
    const auto wanted = relevant.find(users[a]);
    if (wanted == relevant.end()) {
      continue;
    }
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t b = 0; b < items.size(); ++b) {
      double score = 0.0;
      for (std::int64_t k = 0; k < u.columns; ++k) {
        score += double{u.values[a * u.columns + k]} * v.values[b * v.columns + k];
      }
      if (train.count({users[a], items[b]}) == 0) {
        order.emplace_back(-score, b);
      }
    }
    std::sort(order.begin(), order.end());
    int hits = 0;
    for (std::size_t place = 0; place < 10 && place < order.size(); ++place) {
      hits += wanted->second.count(items[order[place].second]) != 0;
    }
    sum += static_cast<double>(hits) / static_cast<double>(wanted->second.size());
  }
  return sum / static_cast<double>(relevant.size());
}

TEST_F(LightGcnFilesTest, WritesVectorsThatGiveTheMetrics) {
  const auto metrics = run();
  EXPECT_EQ(metrics.at("items"), 30);
  EXPECT_EQ(metrics.at("users"), 40);
  EXPECT_EQ(metrics.at("epochs"), 15);
  EXPECT_EQ(metrics.at("best_epoch"), 15);
  EXPECT_NEAR(metrics.at("recall@10").get<double>(), recall_of_files(files_), 1e-9);
  EXPECT_GT(metrics.at("recall@10").get<double>(), 0.8);
  EXPECT_GT(metrics.at("ndcg@10").get<double>(), 0.3);
  EXPECT_FALSE(metrics.contains("valid_recall@20"));
}

TEST_F(LightGcnFilesTest, TheModelIsThatOfTheTrainingFileAlone) {
  run();
  const std::string users = io::read_file(files_.output + "/user_embeddings.npy");
  const std::string items = io::read_file(files_.output + "/item_embeddings.npy");
  EXPECT_EQ(lines_of(files_.output + "/items.txt").size(), 30U);
  files_.test.clear();
  run();
  EXPECT_EQ(io::read_file(files_.output + "/user_embeddings.npy"), users);
  EXPECT_EQ(io::read_file(files_.output + "/item_embeddings.npy"), items);
}

TEST_F(LightGcnFilesTest, CountsTestRowsThatCannotBeFoundAndNamesThem) {
  // u0 and i0 are a training pair; the repeated row is one pair.
  io::write_file_atomically(files_.test, inter_rows(1) + "u0\tonly_in_test\nnew\ti0\nnew\tnever\n" +
                                             "u0\ti0\nu1\tonly_in_test\nu1\tonly_in_test\n");
  const auto metrics = run();
  const auto& test = metrics.at("test");
  const auto rows = static_cast<std::int64_t>(lines_of(files_.test).size()) - 1;
  EXPECT_EQ(test.at("rows"), rows);
  EXPECT_EQ(test.at("rows_in_training"), 1);
  EXPECT_EQ(test.at("repeated_rows"), 1);
  EXPECT_EQ(test.at("rows_of_unknown_users"), 2);
  EXPECT_EQ(test.at("unknown_users"), nlohmann::json({"new"}));
  EXPECT_EQ(test.at("rows_of_unknown_items"), 4);
  EXPECT_EQ(test.at("unknown_items"), nlohmann::json({"only_in_test", "never"}));
  EXPECT_EQ(metrics.at("test_users"), 41);
  EXPECT_NEAR(metrics.at("recall@10").get<double>(), recall_of_files(files_), 1e-9);
}

TEST_F(LightGcnFilesTest, AFileOfStrangersIsRefused) {
  io::write_file_atomically(files_.test, "user_id:token\titem_id:token\nx\ti1\nu1\ty\nu0\ti0\n");
  const std::string reasons =
      "none of its 3 rows can be ranked: 1 of users without a training edge (x), 1 of items "
      "without one (y), 1 that are training edges";
  rallrec::testing::expect_error(ExitCode::kBadData, "test.inter: " + reasons, [&] { run(); });
  std::swap(files_.valid, files_.test);
  rallrec::testing::expect_error(ExitCode::kBadData, reasons, [&] { run(); });
}

// The training rows, each with a rating; 1 for those of u2 and i1. The pair u0, i0 is there twice.
std::string rated_rows() {
  std::istringstream stream(inter_rows(0));
  std::string text, line;
  std::getline(stream, line);
  text = line + "\trating:float\n";
  while (std::getline(stream, line)) {
    const std::string user = line.substr(0, line.find('\t')), item = line.substr(user.size() + 1);
    text += line + (user == "u2" || item == "i1" ? "\t1\n" : "\t5\n");
  }
  return text + "u0\ti0\t5\n";
}

TEST_F(LightGcnFilesTest, WhatHasNoEdgeHasTheZeroVectorAndIsUnknown) {
  io::write_file_atomically(files_.interactions, rated_rows());
  io::write_file_atomically(files_.test, inter_rows(1));
  options_.light_gcn.min_rating = 3.0;
  const auto metrics = run();
  EXPECT_EQ(metrics.at("test").at("rows_below_min_rating"), 0);
  const auto users = lines_of(files_.output + "/users.txt");
  const auto items = lines_of(files_.output + "/items.txt");
  const auto zero_rows = [&](const std::string& file, const std::vector<std::string>& names) {
    const auto matrix = io::read_npy_matrix(files_.output + file);
    std::vector<std::string> zero;
    for (std::size_t row = 0; row < names.size(); ++row) {
      const auto first = matrix.values.begin() + static_cast<std::int64_t>(row) * matrix.columns;
      if (std::count(first, first + matrix.columns, 0.0F) == matrix.columns) {
        zero.push_back(names[row]);
      }
    }
    return zero;
  };
  EXPECT_EQ(zero_rows("/user_embeddings.npy", users), std::vector<std::string>{"u2"});
  EXPECT_EQ(zero_rows("/item_embeddings.npy", items), std::vector<std::string>{"i1"});
  EXPECT_EQ(metrics.at("users"), 40);
  EXPECT_EQ(metrics.at("users_without_edge"), 1);
  EXPECT_EQ(metrics.at("items_without_edge"), 1);
  EXPECT_EQ(metrics.at("repeated_rows"), 1);
  EXPECT_EQ(metrics.at("rows").get<int>() - metrics.at("rows_below_min_rating").get<int>() - 1,
            metrics.at("edges").get<int>());
  EXPECT_EQ(metrics.at("test").at("unknown_users"), nlohmann::json({"u2"}));
  EXPECT_EQ(metrics.at("test").at("unknown_items"), nlohmann::json({"i1"}));
}

TEST_F(LightGcnFilesTest, LowRatingsOfTheTestFileAreNotToBeFound) {
  io::write_file_atomically(files_.interactions, rated_rows());
  const std::string header = "user_id:token\titem_id:token\trating:float\n";
  io::write_file_atomically(files_.test, header + "u0\ti6\t5\nu4\ti2\t2\n");
  options_.light_gcn.min_rating = 3.0;
  const auto metrics = run();
  EXPECT_EQ(metrics.at("test_users"), 1);
  EXPECT_EQ(metrics.at("test").at("rows_below_min_rating"), 1);
  io::write_file_atomically(files_.test, header + "u0\ti6\t1\n");
  rallrec::testing::expect_error(ExitCode::kBadData, "1 rated below light_gcn.min_rating",
                                 [&] { run(); });
}

TEST_F(LightGcnFilesTest, AlignLeavesOutTheItemsWithoutAnEdge) {
  io::write_file_atomically(files_.interactions, rated_rows());
  files_.test.clear();
  options_.light_gcn.min_rating = 3.0;
  options_.align.hidden_size = 12;
  options_.align.steps = 5;
  run();
  const auto items = lines_of(files_.output + "/items.txt");
  const auto place =
      static_cast<std::size_t>(std::find(items.begin(), items.end(), "i1") - items.begin());
  ASSERT_LT(place, items.size());
  std::vector<float> text = rallrec::testing::random_floats(30 * 7, 1);
  distributed::LocalCommunicator communicator;
  const auto projected = [&] {
    io::write_npy(folder_.file("text.npy"), text.data(), {30, 7});
    align_on_files({folder_.file("text.npy"), files_.output + "/item_embeddings.npy",
                    folder_.file("aligned.npy")},
                   options_, communicator);
    return io::read_npy_matrix(folder_.file("aligned.npy")).values;
  };
  const std::vector<float> before = projected();
  for (std::size_t k = 0; k < 7; ++k) {
    text[place * 7 + k] += 1.0F;
  }
  const std::vector<float> after = projected();
  // Another text of that item changes its own projection and nobody else's.
  for (std::size_t row = 0; row < items.size(); ++row) {
    const bool same =
        std::equal(before.begin() + row * 8, before.begin() + row * 8 + 8, after.begin() + row * 8);
    EXPECT_EQ(same, row != place) << items[row];
  }
}

TEST_F(LightGcnFilesTest, NamesWhatMinRatingDoesToAFile) {
  options_.light_gcn.min_rating = 3.0;
  rallrec::testing::expect_error(ExitCode::kUsage, "train.inter has no column rating",
                                 [&] { run(); });
  io::write_file_atomically(files_.interactions, rated_rows());
  options_.light_gcn.min_rating = 6.0;
  rallrec::testing::expect_error(ExitCode::kBadData,
                                 "the highest rating is 5, below light_gcn.min_rating = 6",
                                 [&] { run(); });
}

TEST_F(LightGcnFilesTest, AFailedTrainingLeavesNothingOfAnEarlierOne) {
  run();
  const auto expect_results = [this](bool there) {
    for (const char* name :
         {"metrics.json", "user_embeddings.npy", "item_embeddings.npy", "users.txt", "items.txt"}) {
      EXPECT_EQ(io::file_exists(files_.output + "/" + name), there) << name;
    }
  };
  const std::string train = io::read_file(files_.interactions);
  io::write_file_atomically(files_.interactions, train + "u1\n");
  EXPECT_THROW(run(), Error);
  expect_results(true);  // nothing was read that could take their place
  io::write_file_atomically(files_.interactions, train);
  options_.light_gcn.learning_rate = 1e30;
  options_.light_gcn.epochs = 9;
  EXPECT_THROW(run(), Error);
  expect_results(false);
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
  expect_bad("test.inter: holds no interaction: expected rows below its header");
  files_.test.clear();
  io::write_file_atomically(files_.interactions, header + "u1\ti1\nu1\ti2\n");
  expect_bad("train.inter: every user has every item");
}

}  // namespace
}  // namespace rallrec::pipeline
