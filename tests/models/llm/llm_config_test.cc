#include "models/llm/llm_config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace rallrec::models::llm {
namespace {

using Json = nlohmann::json;

class LlmConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / (std::string("config_") + test->name());
    std::filesystem::create_directories(folder_);
    json_ = {{"architectures", {"LlamaForCausalLM"}},
             {"model_type", "llama"},
             {"hidden_size", 96},
             {"intermediate_size", 200},
             {"num_hidden_layers", 4},
             {"num_attention_heads", 6},
             {"num_key_value_heads", 2},
             {"vocab_size", 1000},
             {"rms_norm_eps", 1e-5},
             {"rope_theta", 500000.0},
             {"max_position_embeddings", 4096},
             {"tie_word_embeddings", true}};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  LlmConfig read(const std::string& text) const {
    std::ofstream(folder_ / "config.json") << text;
    return read_llm_config(folder_.string());
  }
  LlmConfig read() const { return read(json_.dump()); }

  // Expects bad data whose message holds `part`.
  void expect_bad(const std::string& text, const std::string& part) const {
    try {
      read(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadData);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
  std::filesystem::path folder_;
  Json json_;
};

TEST_F(LlmConfigFile, OlderFiles) {
  const LlmConfig config = read();
  EXPECT_EQ(config.hidden_size, 96);
  EXPECT_EQ(config.intermediate_size, 200);
  EXPECT_EQ(config.layers, 4);
  EXPECT_EQ(config.heads, 6);
  EXPECT_EQ(config.kv_heads, 2);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.vocab_size, 1000);
  EXPECT_EQ(config.rope_theta, 500000.0);
  EXPECT_EQ(config.rope_scaling.factor, 1.0);
  EXPECT_EQ(config.max_position, 4096);
  EXPECT_TRUE(config.tied_embeddings);
}

TEST_F(LlmConfigFile, BothGenerationsOfRopeScaling) {
  const Json scaling = {{"rope_type", "llama3"},
                        {"factor", 8.0},
                        {"low_freq_factor", 1.0},
                        {"high_freq_factor", 4.0},
                        {"original_max_position_embeddings", 8192}};
  json_["rope_scaling"] = scaling;
  EXPECT_EQ(read().rope_scaling.factor, 8.0);
  json_.erase("rope_scaling");
  json_.erase("rope_theta");
  json_["rope_parameters"] = scaling;
  json_["rope_parameters"]["rope_theta"] = 12345.0;
  const LlmConfig config = read();
  EXPECT_EQ(config.rope_theta, 12345.0);
  EXPECT_EQ(config.rope_scaling.high_freq_factor, 4.0);
  EXPECT_EQ(config.rope_scaling.original_max_position, 8192);
  json_["rope_parameters"]["rope_type"] = "yarn";
  expect_bad(json_.dump(), "rope_parameters.rope_type");
}

TEST_F(LlmConfigFile, ExplicitHeadDimAndDefaults) {
  json_["head_dim"] = 20;
  json_["hidden_size"] = 100;
  json_.erase("num_key_value_heads");
  json_.erase("tie_word_embeddings");
  json_["rope_scaling"] = nullptr;
  const LlmConfig config = read();
  EXPECT_EQ(config.head_dim, 20);
  EXPECT_EQ(config.kv_heads, 6);
  EXPECT_FALSE(config.tied_embeddings);
}

TEST_F(LlmConfigFile, OtherArchitecturesAndMissingFiles) {
  Json other = json_;
  other["architectures"] = {"MistralForCausalLM"};
  other["model_type"] = "mistral";
  expect_bad(other.dump(), "MistralForCausalLM");
  other = json_;
  other.erase("architectures");
  EXPECT_EQ(read(other.dump()).layers, 4);
  std::filesystem::remove(folder_ / "config.json");
  try {
    read_llm_config(folder_.string());
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kMissingInput);
  }
}

}  // namespace
}  // namespace rallrec::models::llm
