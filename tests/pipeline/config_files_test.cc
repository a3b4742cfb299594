// The files of configs/: that each loads, can be planned and has stages that fit together.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "config/load.h"
#include "config/write.h"
#include "io/files.h"
#include "models/llm/llm_config.h"
#include "pipeline/plan_run.h"
#include "pipeline/preflight.h"
#include "pipeline/stage_table.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

namespace fs = std::filesystem;

using rallrec::testing::TemporaryFolder;

const std::set<std::string>& systems() {
  static const std::set<std::string> names = {"rallrec",           "without_data_augmentation",
                                              "without_retrieval", "without_instruction_tuning",
                                              "zero_shot",         "rella",
                                              "hybrid_score",      "deep_fm",
                                              "x_deep_fm",         "dcn",
                                              "auto_int",          "text_based",
                                              "id_based",          "concat_without_ssl",
                                              "concat_with_ssl"};
  return names;
}

// The run configs: every TOML file outside of the folders that hold something else.
std::vector<fs::path> config_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(RALLREC_SOURCE_DIR "/configs")) {
    const std::string folder = entry.path().parent_path().filename();
    if (entry.path().extension() == ".toml" && folder != "prompts" && folder != "experiments") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

config::Options options_of(const fs::path& file) {
  config::Sources sources;
  sources.file = file;
  return config::load_config(sources).options;
}

// The shape that Llama-3.1-8B's config.json states.
std::string llama_8b_config() {
  return R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
    "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
    "max_position_embeddings": 131072, "rms_norm_eps": 1e-05, "rope_theta": 500000.0,
    "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                     "original_max_position_embeddings": 8192, "rope_type": "llama3"},
    "tie_word_embeddings": false, "attention_bias": false, "mlp_bias": false})";
}

TEST(ConfigFiles, EveryDataSetHasEverySystem) {
  std::map<std::string, std::set<std::string>> found;
  for (const fs::path& file : config_files()) {
    found[file.parent_path().filename()].insert(file.stem());
  }
  found.erase("configs");
  found.erase("scaling");
  EXPECT_GE(found.size(), 2U);
  for (const auto& [folder, names] : found) {
    EXPECT_EQ(names, systems()) << folder;
  }
}

TEST(ConfigFiles, EachLoadsAndHasARunFolderOfItsOwn) {
  std::set<std::string> folders;
  for (const fs::path& file : config_files()) {
    const config::Options options = options_of(file);
    EXPECT_TRUE(folders.insert(options.output.run_dir).second) << file;
    EXPECT_TRUE(io::file_exists(RALLREC_SOURCE_DIR "/" + options.prompt.templates)) << file;
  }
  EXPECT_GT(folders.size(), 30U);
}

// Of the scaling experiments: the same settings, so that their figures can be laid side by side.
TEST(ConfigFiles, StrongAndWeakDifferInTheirRunFoldersAlone) {
  config::Options strong = options_of(RALLREC_SOURCE_DIR "/configs/scaling/strong.toml");
  const config::Options weak = options_of(RALLREC_SOURCE_DIR "/configs/scaling/weak.toml");
  EXPECT_EQ(strong.model.quant, "w8a8");
  strong.output.run_dir = weak.output.run_dir;
  EXPECT_EQ(config::resolved_toml(strong), config::resolved_toml(weak));
}

// What a stage of the run reads is written by an earlier one.
TEST(ConfigFiles, TheStagesOfEachNeedNoOthers) {
  const TemporaryFolder empty;
  for (const fs::path& file : config_files()) {
    const config::Options options = options_of(file);
    const auto stages = select_stages(run_table(options), options.stages, options);
    EXPECT_NO_THROW(check_run_inputs(stages, empty.path())) << file;
    EXPECT_EQ(stages.back().name, "evaluate") << file;
  }
}

TEST(ConfigFiles, EachThatTunesCanBePlannedFromTheShapeOfItsModel) {
  const TemporaryFolder folder;
  folder.put("config.json", llama_8b_config());
  int planned = 0;
  for (const fs::path& file : config_files()) {
    PlanRequest request;
    request.options = options_of(file);
    request.ranks = 2;
    const auto& stages = request.options.stages;
    if (std::find(stages.begin(), stages.end(), "tune") != stages.end()) {
      request.model = models::llm::read_llm_config(folder.path());
      EXPECT_GT(plan_alike(request, 540).steps, 0) << file;
      ++planned;
    }
  }
  EXPECT_GE(planned, 11);
}

// Rows of the paper's tables differ from RALLRec in what they are named for, and in nothing else.
TEST(ConfigFiles, SystemsOfADataSetAreTheSameButForTheirStages) {
  for (const fs::path& file : config_files()) {
    const fs::path base = file.parent_path() / "rallrec.toml";
    if (!fs::exists(base)) {
      continue;
    }
    const config::Options mine = options_of(file);
    const config::Options rallrec = options_of(base);
    EXPECT_EQ(mine.data.path, rallrec.data.path) << file;
    EXPECT_EQ(mine.prompt.k, rallrec.prompt.k) << file;
    EXPECT_EQ(mine.prompt.train_samples, rallrec.prompt.train_samples) << file;
    EXPECT_EQ(mine.prompt.test_samples, rallrec.prompt.test_samples) << file;
    EXPECT_EQ(mine.tune.epochs, rallrec.tune.epochs) << file;
    EXPECT_EQ(mine.baseline.seed, rallrec.baseline.seed) << file;
  }
}

}  // namespace
}  // namespace rallrec::pipeline
