// `rallrec plan`: what config.json alone says about memory and traffic, and whether tune then takes
// as much.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/commands/tuning_fixture.h"

namespace rallrec::testing {
namespace {

class PlanCommand : public TuningFixture {
 protected:
  PlanCommand() {
    std::filesystem::create_directories(folder.file("bare"));
    folder.put("bare/config.json", tiny_config_text(TinyModelShape()));
  }

  // Without weights.
  nlohmann::json plan(int ranks, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {
        "plan", "--model", folder.file("bare"), "--ranks", std::to_string(ranks), "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = rallrec(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  }
};

// Matrices of a layer: q and o 32 x 32, k and v 16 x 32, gate and up 48 x 32, down 32 x 48, with an
// fp32 scale per row. Norms of 32. Table 300 x 32, tied, in bf16 since no weights say otherwise.
constexpr std::int64_t kMatrices = 2 * 32 * 32 + 2 * 16 * 32 + 3 * 48 * 32;
constexpr std::int64_t kLayer = kMatrices + 4 * (2 * 32 + 2 * 16 + 2 * 48 + 32);
constexpr std::int64_t kNorms = 4 * 32 * (2 * 2 + 1);

TEST_F(PlanCommand, CountsFrozenBytesAndTrafficFromTheShapes) {
  const std::vector<std::string> step = {"--quant", "w8a8",  "--tokens",
                                         "100",     "--set", "tune.batch_size=16"};
  const nlohmann::json one = plan(1, step);
  EXPECT_EQ(one["frozen_bytes"], 2 * kLayer + kNorms + 2 * 300 * 32);
  EXPECT_EQ(one["bytes_per_step"]["layers"], 0);
  EXPECT_EQ(one["bytes_per_step"]["gradient tree"], 0);
  EXPECT_EQ(one["fsdp_bytes_per_step"], 0);
  const nlohmann::json two = plan(2, step);
  EXPECT_EQ(two["bytes_per_rank"]["gather buffers"], 2 * kLayer);
  // Whole panels of 16 rows: of two layers' 40 this rank has about half.
  EXPECT_NEAR(two["bytes_per_rank"]["layers"], kLayer + kNorms, 0.1 * kLayer);
  EXPECT_EQ(two["tokens_per_step"], 1600);
  EXPECT_EQ(two["micro_batches"], 8);
  EXPECT_EQ(two["waves"], 1);
  // Both passes of a rank's four micro-batches over the whole model in bf16, half of it from the
  // other rank.
  EXPECT_EQ(two["fsdp_bytes_per_step"], 2 * 4 * 2 * (2 * kMatrices + 300 * 32) / 2);
  // Half of the adapter's gradient from the other rank, and half of the sum: r = 8 on q and v.
  EXPECT_EQ(two["bytes_per_step"]["gradient tree"], 4 * 2 * (8 * 32 + 32 * 8 + 8 * 32 + 16 * 8));
  const nlohmann::json whole = plan(2, {"--quant", "w8a8", "--set", "cluster.replicate_base=true"});
  EXPECT_EQ(whole["frozen_bytes"], one["frozen_bytes"]);
  // Forward and backward each read a copy, but for query, key and value of the first layer.
  EXPECT_EQ(plan(2, {"--quant", "fp32"})["frozen_bytes"],
            2 * 2 * 4 * kMatrices - 4 * (32 * 32 + 2 * 16 * 32) + kNorms + 2 * 300 * 32);
}

// The smaller the budget, the more waves; below one micro-batch its layers are computed again.
TEST_F(PlanCommand, FollowsTheMemoryBudget) {
  const auto with = [this](const std::string& budget) {
    return plan(1, {"--tokens", "400", "--set", "tune.batch_size=32", "--set",
                    "tune.memory_budget=" + budget});
  };
  const nlohmann::json ample = with("2048");
  EXPECT_EQ(ample["waves"], 1);
  EXPECT_EQ(ample["recomputed"], 0);
  // A token keeps 2 x 32 + 2 x (4 + 2) x 8 + 4 + 2 x 48 + 2 floats in the first layer, 1 + 2 x 2 x
  // 8 in the last one, 32 below them and r of each adapted module: a micro-batch of 1,600 tokens
  // 2.3 MB, of which one fits into 3 MiB.
  EXPECT_EQ(with("3")["waves"], ample["micro_batches"]);
  EXPECT_EQ(with("3")["recomputed"], 0);
  const nlohmann::json tight = with("2");
  EXPECT_EQ(tight["recomputed"], ample["micro_batches"]);
  EXPECT_LT(tight["bytes_per_rank"]["kept activations"],
            ample["bytes_per_rank"]["kept activations"]);
}

// A published model that is not here yet, by its name.
TEST_F(PlanCommand, KnowsTheShapesOfPublishedModels) {
  const Outcome outcome =
      rallrec({"plan", "--model", folder.file("meta/Llama-3.1-8B-Instruct/"), "--quant", "w8a8",
               "--device", "h100", "--ranks", "8", "--scaling", "weak", "--price", "2", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const nlohmann::json plan = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(plan["shape"], "published");
  constexpr double kHidden = 4096;
  constexpr double kInner = 14336;
  const double matrices = 32 * (2 * kHidden * kHidden + 2 * 1024 * kHidden + 3 * kHidden * kInner);
  EXPECT_NEAR(plan["bytes_per_rank"]["layers"].get<double>() / (matrices / 8), 1.0, 0.01);
  ASSERT_EQ(plan["scaling"].size(), 4U);
  EXPECT_EQ(plan["scaling"][3]["ranks"], 8);
  EXPECT_EQ(plan["scaling"][3]["batch_size"], 8 * 256);
  EXPECT_EQ(plan["scaling"][0]["efficiency"], 1.0);
  EXPECT_LT(plan["scaling"][3]["efficiency"], 1.0);
  EXPECT_GT(plan["largest_token_budget"], 2048);
  EXPECT_GT(plan["cost"], 0.0);
}

TEST_F(PlanCommand, SaysWhatDoesNotFit) {
  EXPECT_EQ(plan(1, {"--memory", "100"})["fits"], true);
  EXPECT_EQ(plan(1, {"--memory", "0.001"})["fits"], false);
  EXPECT_TRUE(plan(1, {})["fits"].is_null());
  const Outcome large = rallrec({"plan", "--model", "Llama-3.1-70B", "--device", "h100"});
  EXPECT_NE(large.out.find("DOES NOT FIT"), std::string::npos) << large.out;
}

TEST_F(PlanCommand, TakesTheRatesThatAMachineWasMeasuredWith) {
  folder.put("machine.jsonl",
             "{\"bench\":\"machine\",\"arm\":\"products\",\"seconds\":1,\"rate\":2e9}\n"
             "{\"bench\":\"machine\",\"arm\":\"elementwise\",\"seconds\":1,\"rate\":1e30}\n");
  const nlohmann::json measured = plan(1, {"--machine", folder.file("machine.jsonl")});
  EXPECT_NEAR(measured["compute_seconds"].get<double>(), measured["step_flops"].get<double>() / 2e9,
              1e-6);
  folder.put("other.jsonl", "{\"bench\":\"tune\",\"arm\":\"packed\",\"rate\":2e9}\n");
  const Outcome other =
      rallrec({"plan", "--model", folder.file("bare"), "--machine", folder.file("other.jsonl")});
  EXPECT_EQ(other.code, 65);
  EXPECT_NE(other.err.find("other.jsonl:1"), std::string::npos) << other.err;
}

// Scoring holds no gradients and goes through the layers once.
TEST_F(PlanCommand, TellsInferFromTune) {
  const nlohmann::json both = plan(2, {"--quant", "w8a8"});
  const nlohmann::json& infer = both["infer"];
  EXPECT_EQ(infer["frozen_bytes"], both["frozen_bytes"]);
  EXPECT_LT(infer["peak_bytes"], both["peak_bytes"]);
  EXPECT_EQ(infer["bytes_per_step"]["gradient tree"], 0);
  EXPECT_GT(infer["bytes_per_step"]["layers"], 0);
}

TEST_F(PlanCommand, PlansEveryConfigOfTheLargeModel) {
  std::size_t configs = 0;
  for (const char* data_set : {"ml-1m", "book-crossing", "amazon-movies-tv"}) {
    const std::string configs_folder = std::string(RALLREC_SOURCE_DIR) + "/configs/" + data_set;
    for (const auto& entry : std::filesystem::directory_iterator(configs_folder)) {
      const Outcome outcome = rallrec({"plan", "--config", entry.path().string(), "--ranks", "8",
                                       "--device", "h100", "--json"});
      EXPECT_EQ(outcome.code, 0) << outcome.err;
      const auto peak = nlohmann::json::parse(outcome.out).value("peak_bytes", std::int64_t{0});
      EXPECT_LT(peak, std::int64_t{80'000'000'000}) << entry.path();
      ++configs;
    }
  }
  EXPECT_EQ(configs, 45U);
}

TEST_F(PlanCommand, RefusesWhatItCannotPlan) {
  EXPECT_EQ(rallrec({"plan"}).code, 64);
  const std::string bare = folder.file("bare");
  EXPECT_EQ(rallrec({"plan", "--model", bare, "--ranks", "0"}).code, 64);
  EXPECT_EQ(rallrec({"plan", "--model", bare, "--ranks", "2", "--nodes", "3"}).code, 64);
  EXPECT_EQ(rallrec({"plan", "--model", bare, "--tokens", "0"}).code, 64);
  EXPECT_EQ(rallrec({"plan", "--model", bare, "--device", "abacus"}).code, 64);
  for (const char* flag : {"--price", "--memory", "--gflops"}) {
    const Outcome outcome = rallrec({"plan", "--model", bare, flag, "-1"});
    EXPECT_EQ(outcome.code, 64) << flag;
    EXPECT_NE(outcome.err.find("found '-1'"), std::string::npos) << outcome.err;
  }
  const std::string machine = folder.put(
      "own.jsonl", "{\"bench\":\"machine\",\"arm\":\"products\",\"seconds\":1,\"rate\":2e9}\n");
  EXPECT_EQ(rallrec({"plan", "--model", bare, "--machine", machine, "--device", "h100"}).code, 64);
  EXPECT_EQ(rallrec({"plan", "--model", folder.file("none")}).code, 66);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kOwnAllocator = false;
#else
constexpr bool kOwnAllocator = true;
#endif

// "at most 512.3 MB of memory per rank, of which 151.2 MB before the model".
struct Measured {
  double peak = 0.0;
  double before = 0.0;
};

Measured measured(const std::string& log) {
  std::smatch match;
  const std::regex line("at most ([0-9.]+) MB of memory per rank, of which ([0-9.]+) MB");
  EXPECT_TRUE(std::regex_search(log, match, line)) << log;
  return match.empty() ? Measured{}
                       : Measured{1e6 * std::stod(match[1]), 1e6 * std::stod(match[2])};
}

// A model whose activations are large and whose products are small: hidden 32, inner width 2,048,
// ten layers. What the plan cannot know (heap, libraries) is a
// few MB of some 300.
TEST_F(PlanCommand, IsWithinATenthOfThePeakOfTune) {
  if (!kOwnAllocator) {
    GTEST_SKIP() << "a sanitizer's allocator takes more";
  }
  TinyModelShape shape;
  shape.intermediate = 2048;
  shape.layers = 10;
  write_tiny_model(model, 3, shape);
  const std::string train = write_prompts("train.jsonl", 64, 5);
  const std::vector<std::string> options = {
      "--set", "tune.batch_size=64", "--set", "tune.max_steps=2", "--set", "tune.epochs=1"};
  for (const int ranks : {1, 2}) {
    for (const std::string quant : {"w8a8", "fp32"}) {
      std::vector<std::string> arguments = {
          "plan",    "--model", model,    "--train", train,
          "--quant", quant,     "--json", "--ranks", std::to_string(ranks)};
      arguments.insert(arguments.end(), options.begin(), options.end());
      const Outcome planned = rallrec(arguments, {"OMP_NUM_THREADS=1"});
      ASSERT_EQ(planned.code, 0) << planned.err;
      const nlohmann::json plan = nlohmann::json::parse(planned.out);
      arguments = {"tune",    "--model",  model,
                   "--train", train,      "--quant",
                   quant,     "--output", folder.file(quant + std::to_string(ranks))};
      arguments.insert(arguments.end(), options.begin(), options.end());
      const Outcome tuned = run(ranks, arguments);
      ASSERT_EQ(tuned.code, 0) << tuned.err;
      const Measured real = measured(tuned.err);
      EXPECT_NEAR(plan["peak_bytes"].get<double>() / real.peak, 1.0, 0.1) << quant << ranks << plan;
      EXPECT_NEAR(plan["model_bytes"].get<double>() / (real.peak - real.before), 1.0, 0.1)
          << quant << ranks << plan << tuned.err;
    }
  }
}

}  // namespace
}  // namespace rallrec::testing
