#pragma once

#include <string>
#include <vector>

#include "tests/commands/tuning_fixture.h"

namespace rallrec::testing {

// A made-up data set as RecBole's atomic files, and the config of a small run over it.
class RunFixture : public TuningFixture {
 protected:
  static constexpr int kUsers = 12;
  static constexpr int kItems = 40;
  static constexpr int kRows = 22;  // per user

  RunFixture() {
    std::filesystem::create_directories(folder.file("data"));
    write_items();
    write_interactions(0);
    config = folder.put("run.toml", config_text());
  }

  // From this row of each user on all ratings are 5.
  void write_interactions(int first_liked_row) const {
    std::string lines = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";
    for (int row = 0; row < kRows; ++row) {
      for (int user = 0; user < kUsers; ++user) {
        const bool liked = first_liked_row > 0 && row >= first_liked_row;
        lines += "u" + std::to_string(user) + "\ti" + std::to_string((row * 7 + user * 3) % kItems);
        lines += "\t" + std::to_string(liked ? 5 : 1 + (row * 3 + user) % 5) + "\t" +
                 std::to_string(1000 + row * kUsers + user) + "\n";
      }
    }
    folder.put("data/data.inter", lines);
  }

  std::vector<std::string> run_arguments(const std::string& run_dir,
                                         const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"run", "--config", config, "--run-dir",
                                          folder.file(run_dir)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  // Files of the folder that no command should leave behind.
  std::vector<std::string> leftovers(const std::string& run_dir) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.file(run_dir))) {
      const std::string name = entry.path().filename().string();
      if (name.find(".tmp") != std::string::npos || name.rfind("partial.", 0) == 0 ||
          name.rfind("run.lock", 0) == 0) {
        names.push_back(entry.path().string());
      }
    }
    return names;
  }

  std::string config;

 private:
  void write_items() const {
    std::string lines = "item_id:token\ttitle:token\tgenres:token_seq\n";
    for (int item = 0; item < kItems; ++item) {
      lines += "i" + std::to_string(item) + "\tFilm " + std::to_string(item) + " (1990)\t" +
               (item % 2 == 0 ? "Drama" : "Comedy Crime") + "\n";
    }
    folder.put("data/data.item", lines);
    lines = "user_id:token\tgender:token\n";
    for (int user = 0; user < kUsers; ++user) {
      lines += "u" + std::to_string(user) + (user % 2 == 0 ? "\tF\n" : "\tM\n");
    }
    folder.put("data/data.user", lines);
  }

  // Stages that are to be interrupted are made of many small parts.
  std::string config_text() const {
    return "[data]\npath = '" + folder.file("data") + "'\n[model]\npath = '" + model +
           "'\nquant = 'fp32'\n"
           "[describe]\nmax_new_tokens = 48\nbatch_size = 4\n"
           "[embed]\ntoken_budget = 256\n"
           "[light_gcn]\nembedding_size = 8\nepochs = 10\nbatch_size = 64\n"
           "[align]\nhidden_size = 16\nsteps = 20\n"
           "[prompt]\ntemplates = '" +
           std::string(RALLREC_SOURCE_DIR) +
           "/configs/prompts/movielens_compact.toml'\nlist_format = 'plain'\nk = 3\n"
           "train_samples = 60\nvalid_samples = 8\ntest_samples = 24\n"
           "[tune]\nepochs = 2\nbatch_size = 8\nlearning_rate = 0.01\ncheckpoint_every = 3\n"
           "[evaluate]\nbootstrap_samples = 100\n";
  }
};

}  // namespace rallrec::testing
