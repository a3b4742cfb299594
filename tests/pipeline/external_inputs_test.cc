#include "pipeline/external_inputs.h"

#include <gtest/gtest.h>

#include "pipeline/preflight.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

class ModelHash : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"config.json", "tokenizer.json", "model.safetensors", "notes.md"}) {
      folder_.put(name, name);
    }
    options_.model.path = folder_.path();
  }
  std::string hash(ModelUse use) {
    io::FileHashes hashes(folder_.file("none/memory.json"));
    return model_sha256(options_, use, hashes);
  }

  TemporaryFolder folder_;
  config::Options options_;
};

TEST_F(ModelHash, FollowsTheFilesThatItsUseCovers) {
  const std::string tokenizer = hash(ModelUse::kTokenizer);
  const std::string weights = hash(ModelUse::kWeights);
  EXPECT_EQ(hash(ModelUse::kNone), "");
  folder_.put("notes.md", "changed");
  EXPECT_EQ(hash(ModelUse::kWeights), weights);
  folder_.put("model.safetensors", "changed");
  EXPECT_EQ(hash(ModelUse::kTokenizer), tokenizer);
  EXPECT_NE(hash(ModelUse::kWeights), weights);
  folder_.put("tokenizer.json", "changed");
  EXPECT_NE(hash(ModelUse::kTokenizer), tokenizer);
}

TEST_F(ModelHash, FollowsTheComputeModeForWeightsOnly) {
  options_.model.quant = "fp32";
  const std::string tokenizer = hash(ModelUse::kTokenizer);
  const std::string weights = hash(ModelUse::kWeights);
  options_.model.quant = "bf16";
  EXPECT_NE(hash(ModelUse::kWeights), weights);
  EXPECT_EQ(hash(ModelUse::kTokenizer), tokenizer);
}

TEST_F(ModelHash, DoesNotDependOnWhereTheFolderIs) {
  const std::string weights = hash(ModelUse::kWeights);
  const TemporaryFolder copy;
  for (const char* name : {"config.json", "tokenizer.json", "model.safetensors"}) {
    copy.put(name, name);
  }
  options_.model.path = copy.path();
  EXPECT_EQ(hash(ModelUse::kWeights), weights);
}

TEST_F(ModelHash, AWrongFolderIsNamedWithItsKey) {
  options_.model.path = "";
  expect_error(ExitCode::kUsage, "model.path: is empty", [&] { hash(ModelUse::kWeights); });
  options_.model.path = folder_.file("none");
  expect_error(ExitCode::kMissingInput, "model.path must name", [&] { hash(ModelUse::kWeights); });
  options_.model.path = folder_.file("config.json");
  expect_error(ExitCode::kBadData, "is not a folder", [&] { hash(ModelUse::kWeights); });
}

TEST(DataFiles, AreTheFilesOfTheFolderWithoutRejects) {
  const TemporaryFolder folder;
  folder.put("b.item", "");
  folder.put("a.inter", "");
  folder.put("a.inter.rejects", "");
  config::Options options;
  options.data.path = folder.path();
  EXPECT_EQ(data_files(options),
            (std::vector<std::string>{folder.file("a.inter"), folder.file("b.item")}));
  options.data.path = folder.file("a.inter");
  EXPECT_EQ(data_files(options),
            (std::vector<std::string>{folder.file("a.inter"), folder.file("b.item")}));
  options.data.path = folder.file("none");
  expect_error(ExitCode::kMissingInput, "data.path", [&] { data_files(options); });
}

TEST(AdapterFiles, AreThoseOfAFolderOutsideTheRun) {
  const TemporaryFolder folder;
  config::Options options;
  EXPECT_TRUE(adapter_files(options).empty());
  options.infer.adapter = "none";
  EXPECT_TRUE(adapter_files(options).empty());
  options.infer.adapter = folder.path();
  expect_error(ExitCode::kMissingInput, "infer.adapter must name a PEFT folder",
               [&] { adapter_files(options); });
  const std::string config = folder.put("adapter_config.json", "{}");
  const std::string weights = folder.put("adapter_model.safetensors", "");
  EXPECT_EQ(adapter_files(options), (std::vector<std::string>{config, weights}));
}

TEST(RunInputs, OfALeftOutStageMustBeThere) {
  const TemporaryFolder folder;
  const auto stage = [](const char* name, std::vector<std::string> inputs) {
    return Stage{name, std::move(inputs), {std::string(name) + "/out"}, {}};
  };
  const Stage first = stage("first", {});
  const Stage second = stage("second", {"first/out"});
  check_run_inputs({first, second}, folder.path());
  expect_error(ExitCode::kMissingInput,
               "first/out: is read by stage second and written by stage first, which is not among",
               [&] { check_run_inputs({second}, folder.path()); });
  std::filesystem::create_directories(folder.file("first"));
  folder.put("first/out", "");
  check_run_inputs({second}, folder.path());
}

}  // namespace
}  // namespace rallrec::pipeline
