// `rallrec run` of systems that have other stages than RALLRec.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/commands/run_fixture.h"

namespace rallrec::testing {
namespace {

class RunSystems : public RunFixture {
 protected:
  // A config based on the fixture's.
  std::string based(const std::string& name, const std::string& text) const {
    return folder.put(name, "base = 'run.toml'\n" + text);
  }

  nlohmann::json metrics_of(const std::string& config_file, const std::string& run_dir, int ranks) {
    const Outcome outcome =
        run(ranks, {"run", "--config", config_file, "--run-dir", folder.file(run_dir)});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return nlohmann::json::parse(folder.get(run_dir + "/evaluate/metrics.json"));
  }

  bool exists(const std::string& name) const { return std::filesystem::exists(folder.file(name)); }
};

TEST_F(RunSystems, ABaselineIsAStageOfItsRun) {
  const std::string file =
      based("dcn.toml",
            "stages = ['ingest', 'baseline', 'evaluate']\n[baseline]\nmodel = 'dcn'\n"
            "epochs = 2\nmlp_sizes = '8'\n");
  const nlohmann::json metrics = metrics_of(file, "dcn", 1);
  const nlohmann::json own = nlohmann::json::parse(folder.get("dcn/baseline/dcn/metrics.json"));
  EXPECT_EQ(metrics["baseline"]["n"], own["n"]);
  EXPECT_NEAR(metrics["baseline"]["auc"], own["auc"], 1e-12);
  EXPECT_FALSE(exists("dcn/prompt"));
  const Outcome again = run(1, {"baseline", "--config", file, "--run-dir", folder.file("dcn")});
  EXPECT_NE(again.err.find("baseline/dcn: up to date"), std::string::npos) << again.err;
}

// One adapter, scored with in another run; and prompts by title alone, without it.
TEST_F(RunSystems, AnotherRunsAdapterAndNoneScoreTheSamePromptsDifferently) {
  const std::string simple = "[prompt]\ntrain_views = ['simple']\ntest_view = 'simple'\n";
  const std::string tuned =
      based("tuned.toml", "stages = ['ingest', 'prompt', 'tune', 'infer', 'evaluate']\n" + simple);
  const nlohmann::json with = metrics_of(tuned, "tuned", 1);
  EXPECT_FALSE(exists("tuned/retrieve"));
  EXPECT_TRUE(with.contains("tuned_minus_zero_shot"));
  const std::string stages = "stages = ['ingest', 'prompt', 'infer', 'evaluate']\n" + simple;
  const std::string shared = based(
      "shared.toml", stages + "[infer]\nadapter = '" + folder.file("tuned/tune/adapter") + "'\n");
  metrics_of(shared, "shared", 2);
  EXPECT_EQ(folder.get("shared/infer/scores.jsonl"), folder.get("tuned/infer/scores.jsonl"));
  EXPECT_FALSE(exists("shared/tune"));
  const std::string bare = based("bare.toml", stages + "[infer]\nadapter = 'none'\n");
  const nlohmann::json without = metrics_of(bare, "bare", 1);
  EXPECT_EQ(folder.get("bare/infer/scores.jsonl"),
            folder.get("tuned/infer/zero_shot_scores.jsonl"));
  EXPECT_EQ(without.size(), 1U);
  EXPECT_EQ(without["zero_shot"]["auc"], with["zero_shot"]["auc"]);
}

// tune must not look at the test prompts unless it selects on them; and what was tuned on 8-bit
// weights is scored on fp32 ones where asked.
TEST_F(RunSystems, TuneOpensNoTestPromptAndInferMayTakeAnotherBase) {
  const std::string file =
      based("eight.toml",
            "stages = ['ingest', 'prompt', 'tune', 'infer', 'evaluate']\n[model]\n"
            "quant = 'w8a8'\n[prompt]\ntrain_views = ['simple']\ntest_view = 'simple'\n");
  metrics_of(file, "eight", 1);
  const std::string tuned = folder.get("eight/tune/adapter/adapter_model.safetensors");
  std::filesystem::remove_all(folder.file("eight/tune"));
  std::filesystem::rename(folder.file("eight/prompt/test.jsonl"), folder.file("kept.jsonl"));
  const auto run_stages = [this, &file](const std::string& stages,
                                        std::vector<std::string> more = {}) {
    std::vector<std::string> line = {
        "run", "--config", file, "--run-dir", folder.file("eight"), "--stages", stages};
    line.insert(line.end(), more.begin(), more.end());
    return run(1, line);
  };
  EXPECT_EQ(run_stages("tune").code, 0);
  EXPECT_EQ(folder.get("eight/tune/adapter/adapter_model.safetensors"), tuned);
  const Outcome refused = run_stages("tune", {"--set", "tune.select_on=test"});
  EXPECT_EQ(refused.code, 66);
  EXPECT_NE(refused.err.find("prompt/test.jsonl"), std::string::npos) << refused.err;
  std::filesystem::rename(folder.file("kept.jsonl"), folder.file("eight/prompt/test.jsonl"));
  EXPECT_EQ(run_stages("tune,infer", {"--set", "refcompat.float_base_at_inference=true"}).code, 0);
  const std::string as_float = folder.get("eight/infer/scores.jsonl");
  const Outcome by_hand =
      run(1, {"infer", "--model", model, "--adapter", folder.file("eight/tune/adapter"), "--quant",
              "fp32", "--input", folder.file("eight/prompt/test.jsonl"), "--output",
              folder.file("by_hand.jsonl"), "--squashed"});
  EXPECT_EQ(by_hand.code, 0) << by_hand.err;
  EXPECT_EQ(folder.get("by_hand.jsonl"), as_float);
  EXPECT_EQ(run_stages("infer").code, 0);
  EXPECT_NE(folder.get("eight/infer/scores.jsonl"), as_float);
}

// All deviations at once go through every stage of a run, on one rank and on two.
TEST_F(RunSystems, ModeRefcompatRunsFromEndToEnd) {
  const std::string file =
      based("refcompat.toml", "mode = 'refcompat'\n[describe]\nmax_new_tokens = 12\n");
  const nlohmann::json metrics = metrics_of(file, "one", 1);
  EXPECT_NE(metrics["tuned"]["log_loss"], nullptr);
  EXPECT_EQ(metrics["tuned"]["log_loss"], metrics["tuned"]["log_loss_squashed"]);
  metrics_of(file, "two", 2);
  EXPECT_EQ(folder.get("one/infer/scores.jsonl"), folder.get("two/infer/scores.jsonl"));
  EXPECT_EQ(folder.get("one/prompt/train.jsonl"), folder.get("two/prompt/train.jsonl"));
}

TEST_F(RunSystems, ReLLaNeedsNoDescriptions) {
  const std::string file =
      based("rella.toml",
            "stages = ['ingest', 'embed', 'retrieve', 'prompt']\n[retrieve]\nblocks = ['title']\n"
            "[prompt]\ntest_view = 'sequential'\ntrain_views = ['simple', 'sequential']\n");
  const Outcome outcome = run(1, {"run", "--config", file, "--run-dir", folder.file("rella")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(folder.get("rella/prompt/test.jsonl"), "");
  EXPECT_FALSE(exists("rella/describe"));
  EXPECT_FALSE(exists("rella/light_gcn"));
}

TEST_F(RunSystems, AStageThatIsMissingIsNamedBeforeAnythingRuns) {
  const Outcome outcome = run(1, run_arguments("none", {"--set", "stages=ingest,prompt,infer"}));
  EXPECT_EQ(outcome.code, 66);
  EXPECT_NE(outcome.err.find("is read by stage prompt and written by stage retrieve, which is not "
                             "among the stages of this run"),
            std::string::npos)
      << outcome.err;
  EXPECT_FALSE(exists("none/ingest"));
}

}  // namespace
}  // namespace rallrec::testing
