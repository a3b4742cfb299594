// Checkpoints and outputs made by tests/golden/make_tiny_models.py with transformers.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "distributed/local_communicator.h"
#include "distributed/place.h"
#include "models/llm/causal_lm.h"
#include "tests/models/llm/tiny_model.h"

namespace rallrec::models::llm {
namespace {

using Json = nlohmann::json;

const std::string kFolder = std::string(RALLREC_SOURCE_DIR) + "/tests/golden/tiny/";

at::Tensor tensor_of(const Json& values) {
  return at::tensor(values.get<std::vector<double>>(), at::kDouble);
}

class TinyGolden : public testing::TestWithParam<const char*> {};

TEST_P(TinyGolden, LogitsPoolingAndGreedyTextEqualTransformers) {
  const std::string folder = kFolder + GetParam();
  const auto lm = load_causal_lm(folder, "fp32");
  std::ifstream file(folder + "/expected.json");
  const Json expected = Json::parse(file);
  ASSERT_EQ(expected.size(), 4U);
  std::vector<std::vector<std::int64_t>> sequences;
  std::vector<GenerationPrompt> prompts;
  for (const Json& one : expected) {
    sequences.push_back(one.at("ids"));
    prompts.push_back({one.at("ids"), prompts.size()});
  }
  const PackedBatch batch = pack(sequences);
  const at::Tensor hidden = lm->hidden_states(batch, nullptr);
  const at::Tensor pooled = lm->pooled_states(batch, kernels::Pooling::kMean, nullptr);
  const at::Tensor last_rows = lm->pooled_states(batch, kernels::Pooling::kLast, nullptr);
  GenerationOptions options;
  options.max_new_tokens = 8;
  const auto texts = lm->generate(prompts, options, nullptr);
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const at::Tensor last = hidden.narrow(0, batch.offsets[s + 1] - 1, 1);
    const at::Tensor logits = tensor_of(expected[s].at("logits"));
    EXPECT_LT((lm->logits(last)[0] - logits).abs().max().item<double>(), 1e-4);
    const std::vector<std::int64_t> ids = {5, 130, 0};
    EXPECT_LT((lm->logits_of(last, ids)[0] - logits.index_select(0, at::tensor(ids, at::kLong)))
                  .abs()
                  .max()
                  .item<double>(),
              1e-4);
    const at::Tensor mean = tensor_of(expected[s].at("mean_hidden"));
    EXPECT_LT((pooled[std::int64_t(s)] - mean).abs().max().item<double>(), 1e-4);
    EXPECT_TRUE(at::equal(last_rows[std::int64_t(s)], last[0]));
    EXPECT_EQ(texts[s], expected[s].at("greedy").get<std::vector<std::int64_t>>());
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, TinyGolden,
                         testing::Values("grouped", "tied", "head_dim", "scaled", "sharded_bf16"),
                         [](const auto& info) { return std::string(info.param); });

// A copy of a tiny checkpoint that a test may damage.
class DamagedCheckpoint : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / (std::string("tiny_") + test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::copy(kFolder + "grouped", folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void change_config(const char* key, const Json& value) const {
    std::ifstream in(folder_ / "config.json");
    Json json = Json::parse(in);
    json[key] = value;
    std::ofstream(folder_ / "config.json") << json.dump();
  }

  void expect_error(ExitCode code, const std::string& part, const char* quant = "fp32") const {
    try {
      load_causal_lm(folder_.string(), quant);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }

  std::filesystem::path folder_;
};

TEST_F(DamagedCheckpoint, WrongShapesMissingAndUnexpectedTensorsAreNamed) {
  change_config("intermediate_size", 81);
  expect_error(ExitCode::kBadData, "model.layers.0.mlp.gate_proj.weight");
  change_config("intermediate_size", 80);
  change_config("num_hidden_layers", 3);
  expect_error(ExitCode::kBadData, "model.layers.2.input_layernorm.weight is missing");
  change_config("num_hidden_layers", 1);
  expect_error(ExitCode::kBadData, "tensor model.layers.1");
}

TEST_F(DamagedCheckpoint, NotANumberIsNamed) {
  std::fstream file(folder_ / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  const float bad = NAN;
  file.seekp(-4, std::ios::end);
  file.write(reinterpret_cast<const char*>(&bad), sizeof(bad));
  file.close();
  expect_error(ExitCode::kBadData, "not finite");
}

TEST_F(DamagedCheckpoint, UnknownModesAreRefusedAndKnownOnesNameThemselves) {
  expect_error(ExitCode::kUsage, "expected auto, llm_int8, w8a16, w8a8, bf16 or fp32", "int4");
  for (const char* mode : {"llm_int8", "w8a16", "w8a8", "bf16", "fp32"}) {
    EXPECT_EQ(load_causal_lm(folder_.string(), mode)->quant(), mode);
  }
  const std::string automatic = load_causal_lm(folder_.string(), "auto")->quant();
  EXPECT_TRUE(automatic == "fp32" || automatic == "bf16");
}

// In the form of GPUs, on the CPU; the second time from the cache, to the same bits.
TEST_F(DamagedCheckpoint, AFolderIsLoadedInTheFormOfGpusToo) {
  const PackedBatch batch = pack({random_ids(20, 131, 1)});
  distributed::LocalCommunicator communicator;
  const auto on_device = [&](const char* quant, const Int8CacheOptions& cache) {
    return load_causal_lm_on_device(folder_.string(), quant,
                                    distributed::make_place({"cpu"}, communicator), true, cache)
        ->hidden_states(batch, nullptr);
  };
  const at::Tensor want = load_causal_lm(folder_.string(), "fp32")->hidden_states(batch, nullptr);
  EXPECT_LT((on_device("fp32", {}) - want).abs().max().item<float>(), 2e-5F);
  const Int8CacheOptions cache{(folder_ / "cache").string(), true};
  const at::Tensor first = on_device("w8a8", cache);
  EXPECT_GT(at::cosine_similarity(first, want, 1).min().item<float>(), 0.99F);
  EXPECT_FALSE(std::filesystem::is_empty(folder_ / "cache"));
  EXPECT_TRUE(at::equal(on_device("w8a8", cache), first));
  const at::Tensor packed =
      load_causal_lm(folder_.string(), "w8a8", nullptr, nullptr, cache)->hidden_states(batch, {});
  EXPECT_LT((packed - first).norm().item<float>(), 1e-2F * first.norm().item<float>());
}

TEST_F(DamagedCheckpoint, IdsOutsideTheVocabularyAndLongSequencesAreBadData) {
  const auto lm = load_causal_lm(folder_.string(), "fp32");
  EXPECT_THROW(lm->hidden_states(pack({{131}}), nullptr), Error);
  EXPECT_THROW(lm->hidden_states(pack({{-1}}), nullptr), Error);
  EXPECT_THROW(lm->hidden_states(pack({random_ids(129, 131, 1)}), nullptr), Error);
  EXPECT_EQ(lm->hidden_states(pack({random_ids(128, 131, 1)}), nullptr).size(0), 128);
}

}  // namespace
}  // namespace rallrec::models::llm
