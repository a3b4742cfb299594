#pragma once

#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "core/rng.h"
#include "tests/commands/program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace rallrec::testing {

// A tiny model and made-up prompts whose first word decides the answer.
class TuningFixture : public ::testing::Test {
 protected:
  TuningFixture() : model(folder.file("model")) { write_tiny_model(model); }

  std::string write_prompts(const std::string& name, int count, std::uint64_t seed) const {
    Rng rng(seed);
    std::string lines;
    for (int i = 0; i < count; ++i) {
      const bool good = rng.next_below(2) == 1;
      std::string words = good ? "good" : "bad";
      for (std::uint64_t w = 3 + rng.next_below(12); w > 0; --w) {
        words += std::vector<const char*>{" red", " green", " long", " film"}[rng.next_below(4)];
      }
      lines += "{\"user\": " + std::to_string(i % 5) + ", \"input\": \"" + words +
               "?\", \"output\": \"" + (good ? "Yes." : "No.") + "\"}\n";
    }
    return folder.put(name, lines);
  }

  // A command line under mpirun, or alone for one rank.
  static std::vector<std::string> on_ranks(int ranks, const std::vector<std::string>& arguments) {
    std::vector<std::string> line;
    if (ranks > 1) {
      line = {RALLREC_MPIEXEC, "-n", std::to_string(ranks), "--oversubscribe"};
    }
    line.emplace_back(RALLREC_BINARY);
    line.insert(line.end(), arguments.begin(), arguments.end());
    return line;
  }

  static const std::vector<std::string>& variables() {
    static const std::vector<std::string> list = {"OMP_NUM_THREADS=1", "OMPI_ALLOW_RUN_AS_ROOT=1",
                                                  "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"};
    return list;
  }

  Outcome run(int ranks, const std::vector<std::string>& arguments) const {
    return run_program(on_ranks(ranks, arguments), variables());
  }

  std::vector<std::string> tune_arguments(const std::string& train, const std::string& output,
                                          const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"tune",
                                          "--model",
                                          model,
                                          "--train",
                                          train,
                                          "--output",
                                          folder.file(output),
                                          "--set",
                                          "tune.batch_size=16",
                                          "--set",
                                          "tune.token_budget=256",
                                          "--set",
                                          "tune.learning_rate=0.01",
                                          "--set",
                                          "tune.epochs=3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  std::string adapter_of(const std::string& output) const {
    return folder.get(output + "/adapter/adapter_model.safetensors");
  }
  std::string log_of(const std::string& output) const {
    return std::regex_replace(folder.get(output + "/metrics.jsonl"),
                              std::regex(", \"seconds\": [^}]*"), "");
  }
  void expect_same_run(const std::string& a, const std::string& b) const {
    EXPECT_FALSE(adapter_of(a).empty());
    EXPECT_EQ(adapter_of(a), adapter_of(b)) << a << " against " << b;
    EXPECT_EQ(log_of(a), log_of(b));
  }

  TemporaryFolder folder;
  std::string model;
};

}  // namespace rallrec::testing
