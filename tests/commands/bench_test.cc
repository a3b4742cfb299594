// `rallrec bench` on a tiny model: whether its lines are complete, and what it counts. Times are
// not looked at.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/commands/tuning_fixture.h"

namespace rallrec::testing {
namespace {

using nlohmann::json;

class BenchCommand : public TuningFixture {
 protected:
  BenchCommand() {
    shape.layers = 5;
    write_tiny_model(model, 1, shape);
    prompts = write_prompts("prompts.jsonl", 12, 3);
  }

  // The lines of a run, by arm.
  std::map<std::string, json> bench(int ranks, const std::string& name,
                                    const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"bench",     "--model", model,     "--input",
                                          prompts,     "--quant", "w8a8",    name,
                                          "--repeats", "2",       "--count", "10"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(ranks, arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    std::map<std::string, json> lines;
    std::istringstream stream(outcome.out);
    for (std::string text; std::getline(stream, text);) {
      const json line = json::parse(text);
      for (const char* key : {"seconds", "spread", "peak_bytes", "work", "rate", "verified",
                              "ratio", "config", "hardware", "versions", "commit"}) {
        EXPECT_TRUE(line.contains(key)) << name << ": " << key << " is missing in " << text;
      }
      EXPECT_EQ(line["bench"], name);
      EXPECT_EQ(line["config"]["ranks"], ranks);
      EXPECT_FALSE(line["hardware"]["cpu"].get<std::string>().empty());
      EXPECT_TRUE(lines.emplace(line["arm"], line).second) << "twice: " << text;
    }
    return lines;
  }

  // A timed line: its rate is work over the median, which lies within the spread.
  static void expect_timed(const json& line) {
    const double seconds = line["seconds"];
    EXPECT_GT(seconds, 0.0);
    EXPECT_LE(line["spread"][0], line["seconds"]);
    EXPECT_GE(line["spread"][1], line["seconds"]);
    EXPECT_NEAR(line["rate"].get<double>() * seconds, line["work"].get<double>(),
                1e-6 * line["work"].get<double>());
  }

  TinyModelShape shape;
  std::string prompts;
};

// Of a layer: q and o 32 x 32, k and v 16 x 32, gate and up 48 x 32, down 32 x 48; a scale per row.
constexpr std::int64_t kMatrices = 2 * 32 * 32 + 2 * 16 * 32 + 3 * 48 * 32;
constexpr std::int64_t kLayer = kMatrices + 4 * (2 * 32 + 2 * 16 + 2 * 48 + 32);

TEST_F(BenchCommand, TuneCountsWhatIsHeldAndGathered) {
  const auto one = bench(1, "tune", {"--against", "fp32"});
  ASSERT_EQ(one.size(), 8U);
  EXPECT_EQ(one.at("traffic")["work"], 0);
  EXPECT_EQ(one.at("frozen")["ratio"], 1.0);
  EXPECT_EQ(one.at("frozen")["work"], 5 * (kLayer + 2 * 4 * 32) + 4 * 32 + 4 * 300 * 32);
  for (const char* arm :
       {"packed", "padded", "bare products of one layer", "w8a8 against fp32", "fp32"}) {
    ASSERT_TRUE(one.count(arm)) << arm;
    expect_timed(one.at(arm));
  }
  const json& packed = one.at("packed");
  EXPECT_LE(packed["verified"], 1e-3);
  EXPECT_GT(packed["verified"], 0.0);
  EXPECT_NEAR(packed["ratio"].get<double>(),
              one.at("padded")["seconds"].get<double>() / packed["seconds"].get<double>(), 1e-9);
  EXPECT_GE(one.at("padded")["computed_tokens"], packed["work"]);

  const auto two = bench(2, "tune");
  ASSERT_EQ(two.size(), 6U);
  const json& traffic = two.at("traffic");
  ASSERT_EQ(traffic["waves"], 1);
  // Forward and backward bring in all layers but the two that are at hand at either turn; of each,
  // the part of the rank that keeps least is all but what it keeps.
  const double share = traffic["work"].get<double>() / (2 * (5 - 2) * kLayer);
  EXPECT_NEAR(share, 0.5, 0.1);
  EXPECT_EQ(traffic["work"], traffic["planned_bytes"]);
  // In bf16 for each micro-batch of a rank, twice, the whole model, of which half is elsewhere.
  const std::int64_t micro_batches = (traffic["micro_batches"].get<std::int64_t>() + 1) / 2;
  EXPECT_EQ(traffic["fsdp_bytes"], 2 * micro_batches * 2 * (5 * kMatrices + 300 * 32) / 2);
  EXPECT_NEAR(traffic["ratio"].get<double>() * traffic["work"].get<double>(),
              traffic["fsdp_bytes"].get<double>(), 1.0);
}

TEST_F(BenchCommand, TuneWithTheLogitsOfEveryToken) {
  const auto lines = bench(2, "tune", {"--all-positions"});
  ASSERT_EQ(lines.size(), 8U);
  for (const char* arm : {"label positions", "all positions"}) {
    expect_timed(lines.at(arm));
    EXPECT_LE(lines.at(arm)["verified"], 1e-5) << arm;
  }
}

TEST_F(BenchCommand, TuneOverASlowLink) {
  const auto lines = bench(2, "tune", {"--link", "10"});
  ASSERT_EQ(lines.size(), 8U);
  const json& slow = lines.at("slow link");
  expect_timed(slow);
  expect_timed(lines.at("real link"));
  EXPECT_EQ(slow["verified"], 0.0);
  EXPECT_NEAR(slow["link_seconds"].get<double>(), lines.at("traffic")["work"].get<double>() / 10e6,
              1e-9);
  // Nothing takes less time than its layers need on the link.
  EXPECT_GE(slow["seconds"], 0.9 * slow["link_seconds"].get<double>());
}

TEST_F(BenchCommand, PassesAreVerifiedAndTimed) {
  for (const int ranks : {1, 2}) {
    for (const std::string name : {"embed", "infer"}) {
      const auto lines = bench(ranks, name);
      ASSERT_EQ(lines.size(), 2U) << name;
      for (const auto& [arm, line] : lines) {
        expect_timed(line);
        EXPECT_LE(line["verified"], 1e-4) << arm;
        EXPECT_EQ(line["work"], lines.at("packed")["work"]) << arm;
      }
      EXPECT_EQ(lines.at("one by one")["ratio"], 1.0);
    }
  }
}

TEST_F(BenchCommand, LoadTellsEveryPhase) {
  const auto lines = bench(2, "load");
  double last = 0.0;
  for (const char* arm :
       {"process and libraries", "tokenizer and prompts", "weights", "adapter", "first step"}) {
    ASSERT_TRUE(lines.count(arm)) << arm;
    const double now = lines.at(arm)["since_start"];
    EXPECT_NEAR(now - last, lines.at(arm)["seconds"].get<double>(), 1e-9) << arm;
    last = now;
  }
}

TEST_F(BenchCommand, RefusesWhatItCannotMeasure) {
  EXPECT_EQ(run(1, {"bench"}).code, 64);
  const Outcome unknown = run(1, {"bench", "speed"});
  EXPECT_EQ(unknown.code, 64);
  EXPECT_NE(unknown.err.find("matmul"), std::string::npos) << unknown.err;
  EXPECT_EQ(run(1, {"bench", "tune"}).code, 64);
  EXPECT_EQ(run(1, {"bench", "tune", "--model", model, "--input", prompts, "--repeats", "0"}).code,
            64);
  EXPECT_EQ(run(1, {"bench", "tune", "--model", model, "--input", folder.file("none")}).code, 66);
}

// A model of zeros has a gradient of zeros, which points nowhere: nothing is timed.
TEST_F(BenchCommand, PrintsNoTimeWhereArmsCannotBeCompared) {
  std::string weights = folder.get("model/model.safetensors");
  const std::uint64_t header =
      static_cast<unsigned char>(weights[0]) + 256U * static_cast<unsigned char>(weights[1]);
  std::fill(weights.begin() + 8 + static_cast<std::ptrdiff_t>(header), weights.end(), '\0');
  folder.put("model/model.safetensors", weights);
  const Outcome outcome = run(1, {"bench", "tune", "--model", model, "--input", prompts, "--quant",
                                  "fp32", "--count", "4", "--repeats", "1"});
  EXPECT_EQ(outcome.code, 76) << outcome.err;
  EXPECT_EQ(outcome.out.find("padded"), std::string::npos);
  EXPECT_NE(outcome.err.find("no time is printed"), std::string::npos) << outcome.err;
}

// The tiny model has four shapes: q and o, k and v, gate and up, down; three arms each.
TEST_F(BenchCommand, MatmulComparesEveryShape) {
  const auto lines = bench(1, "matmul");
  ASSERT_EQ(lines.size(), 3U * 4U);
  for (const auto& [arm, line] : lines) {
    expect_timed(line);
    const double share = line["share_of_registers"];
    EXPECT_GE(share, 0.0) << arm;
    EXPECT_LT(share, 1.1) << arm;
  }
  // 512 rows of a 32 x 48 matrix, a multiply and an add each.
  EXPECT_EQ(lines.at("packed int8, down_proj")["work"], 2 * 512 * 32 * 48);
  EXPECT_LE(lines.at("packed fp32, down_proj")["verified"], 1e-5);
  EXPECT_GT(lines.at("packed int8, down_proj")["verified"], 0.0);
}

TEST_F(BenchCommand, InfoNceNeedsLessThanTheWholeMatrix) {
  const auto lines = bench(1, "info_nce", {"--items", "1500", "--width", "16"});
  ASSERT_EQ(lines.size(), 2U);
  const json& plain = lines.at("plain libtorch");
  const json& tiled = lines.at("tiled");
  for (const json& line : {plain, tiled}) {
    expect_timed(line);
    EXPECT_EQ(line["work"], 8.0 * 1500 * 1500 * 16);
    EXPECT_GT(line["verified"], 0.0);
    EXPECT_LT(line["verified"], 1e-4);
    EXPECT_GT(line["floor_seconds"], 0.0);
  }
  // The plain arm holds at least the scores and their gradient.
  EXPECT_GT(plain["peak_bytes"], 2 * 4 * 1500 * 1500);
  EXPECT_GT(tiled["memory_ratio"], 4.0);
}

// A graph has neither a model nor prompts.
TEST_F(BenchCommand, ALineTellsOnlyWhatItsBenchGoesBy) {
  std::string rows = "user_id:token\titem_id:token\n";
  for (int row = 0; row < 30; ++row) {
    rows += "u" + std::to_string(row % 6) + "\ti" + std::to_string(row % 5) + "\n";
  }
  const Outcome outcome = run(1, {"bench", "light_gcn", "--input",
                                  folder.put("edges.inter", rows + "u9\ti9\n"), "--repeats", "1"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json line = json::parse(outcome.out);
  for (const char* none : {"ratio", "verified", "peak_bytes"}) {
    EXPECT_TRUE(line.at(none).is_null()) << none;
  }
  EXPECT_GT(line.at("rate"), 0.0);
  std::vector<std::string> keys;
  for (const auto& [key, value] : line.at("config").items()) {
    keys.push_back(key);
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"ranks", "repeats", "threads"}));
}

TEST_F(BenchCommand, InfoNceRefusesWhatItCannotMeasure) {
  EXPECT_EQ(run(1, {"bench", "info_nce", "--items", "1"}).code, 64);
  EXPECT_EQ(run(1, {"bench", "info_nce", "--temperature", "0"}).code, 64);
  EXPECT_EQ(run(2, {"bench", "info_nce", "--items", "10"}).code, 64);
}

// A point of a scaling experiment: what it sums up does not depend on the ranks, and beside the
// rate stand the bytes, what the gathers took and whether ranks shared cores.
TEST_F(BenchCommand, AStageTellsItsBytesAndItsOverlap) {
  for (const std::string stage : {"tune", "embed", "infer"}) {
    const json one = bench(1, "stage", {"--stage", stage, "--set", "embed.quant=w8a8"}).at(stage);
    const json two = bench(2, "stage", {"--stage", stage, "--set", "embed.quant=w8a8"}).at(stage);
    expect_timed(one);
    expect_timed(two);
    EXPECT_EQ(one["result"], two["result"]) << stage;
    EXPECT_NE(one["result"], 0.0) << stage;
    EXPECT_EQ(one["work"], two["work"]) << stage;
    EXPECT_FALSE(one.contains("gathered_bytes")) << stage;
    EXPECT_GT(two["gathered_bytes"], 0.0) << stage;
    EXPECT_GT(two["sent_bytes"], 0.0) << stage;
    EXPECT_GT(two["gather_seconds"], 0.0) << stage;
    EXPECT_GE(two["overlap"], 0.0) << stage;
    EXPECT_LE(two["overlap"], 1.0) << stage;
    EXPECT_EQ(two["threads_per_node"], 2.0) << stage;
    EXPECT_EQ(two["oversubscribed"] == 1.0, two["cores_per_node"] < 2.0) << stage;
  }
  const json tune = bench(2, "stage").at("tune");
  EXPECT_EQ(tune["gathered_bytes"], bench(2, "tune").at("traffic")["work"]);
}

class ScalingBench : public BenchCommand {
 protected:
  Outcome scaling(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {
        "bench", "scaling", "--ranks", "1,2",     "--repeats", "1",        "--count",
        "10",    "--model", model,     "--quant", "w8a8",      "--output", folder.file("out")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(1, arguments);
  }
  json points() const { return json::parse(folder.get("out/scaling.json")); }
};

TEST_F(ScalingBench, StrongIsTheSameWorkOnMoreRanks) {
  const Outcome outcome = scaling({"--input", prompts, "--mllog"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json all = points();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["ranks"], 1);
  EXPECT_EQ(all[1]["ranks"], 2);
  EXPECT_EQ(all[0]["work"], all[1]["work"]);
  EXPECT_EQ(all[0]["result"], all[1]["result"]);
  EXPECT_EQ(all[0]["efficiency"], 1.0);
  EXPECT_NEAR(all[1]["efficiency"].get<double>(),
              all[1]["rate"].get<double>() / all[0]["rate"].get<double>() / 2, 1e-12);
  const std::string csv = folder.get("out/scaling.csv");
  EXPECT_EQ(lines_in(csv), 3);
  EXPECT_EQ(csv.rfind("stage,mode,ranks,threads,nodes,cores_per_node,oversubscribed,", 0), 0U);
  EXPECT_NE(csv.find("\ntune,strong,2,1,"), std::string::npos) << csv;
  EXPECT_NE(outcome.out.find(csv), std::string::npos);
  EXPECT_EQ(folder.get("out/scaling.png").substr(1, 3), "PNG");
  // Two points of three lines each, every one an object behind the prefix.
  int logged = 0;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(":::MLLOG ", 0) == 0) {
      const json entry = json::parse(line.substr(9));
      EXPECT_EQ(entry["metadata"]["stage"], "tune");
      EXPECT_GT(entry["time_ms"], 1500000000000LL);
      ++logged;
    }
  }
  EXPECT_EQ(logged, 6);
}

TEST_F(ScalingBench, WeakIsTheSameWorkForEachRank) {
  const Outcome outcome = scaling({"--mode", "weak", "--stage", "light_gcn", "--edges", "10000"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json all = points();
  // A small made-up graph draws many edges twice, a larger one fewer.
  EXPECT_GE(all[1]["work"], 2 * all[0]["work"].get<double>());
}

TEST_F(ScalingBench, WhatCannotBeMeasuredIsSaid) {
  const Outcome alone = scaling({"--input", prompts, "--launcher", "env"});
  EXPECT_EQ(alone.code, 64);
  EXPECT_NE(alone.err.find("asked for 2 ranks and MPI saw 1"), std::string::npos) << alone.err;
  EXPECT_EQ(scaling({"--input", prompts, "--launcher", "no-such-launcher"}).code, 66);
  EXPECT_EQ(scaling({"--input", folder.file("none.jsonl")}).code, 66);
  EXPECT_EQ(scaling({"--input", prompts, "--repeats", "0"}).code, 64);
}

}  // namespace
}  // namespace rallrec::testing
