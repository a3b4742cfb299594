#include "train/peft_adapter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>

#include "core/rng.h"
#include "io/files.h"
#include "io/safetensors.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::train {
namespace {

using models::llm::LlmConfig;
using models::llm::LoraAdapter;
using models::llm::LoraOptions;
using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

LlmConfig small_config() {
  LlmConfig config;
  config.hidden_size = 6;
  config.intermediate_size = 10;
  config.layers = 3;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 4;
  config.vocab_size = 11;
  return config;
}

LoraAdapter trained_adapter(const LoraOptions& options = {}) {
  LoraAdapter adapter(small_config(), options, 3);
  Rng rng(8);
  for (std::int64_t i = 0; i < adapter.flat().numel(); ++i) {
    adapter.flat().mutable_data_ptr<float>()[i] = static_cast<float>(rng.next_normal());
  }
  return adapter;
}

class PeftAdapter : public ::testing::Test {
 protected:
  void SetUp() override { write_peft_adapter(folder_.path(), trained_adapter(), 3, "base", true); }
  void set_config(const std::string& from, const std::string& to) {
    std::string text = folder_.get("adapter_config.json");
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    folder_.put("adapter_config.json", text.replace(at, from.size(), to));
  }
  void expect_refused(const std::string& text) {
    expect_error(ExitCode::kBadData, text,
                 [&] { read_peft_adapter(folder_.path(), small_config()); });
  }

  TemporaryFolder folder_;
};

TEST_F(PeftAdapter, ConfigIsSortedAndIndentedAsPeftWritesIt) {
  EXPECT_EQ(folder_.get("adapter_config.json"), R"({
  "alpha_pattern": {},
  "base_model_name_or_path": "base",
  "bias": "none",
  "fan_in_fan_out": false,
  "inference_mode": true,
  "init_lora_weights": true,
  "lora_alpha": 16,
  "lora_dropout": 0.05,
  "modules_to_save": null,
  "peft_type": "LORA",
  "peft_version": "0.21.2",
  "r": 8,
  "rank_pattern": {},
  "revision": null,
  "target_modules": [
    "q_proj",
    "v_proj"
  ],
  "task_type": "CAUSAL_LM",
  "use_dora": false,
  "use_rslora": false
}
)");
}

TEST_F(PeftAdapter, TensorsHavePeftsNamesAndShapes) {
  const io::SafetensorsFile file(folder_.file("adapter_model.safetensors"));
  EXPECT_EQ(file.tensors().size(), 12U);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  const std::string stem = "base_model.model.model.layers.2.self_attn.";
  EXPECT_EQ(file.get(stem + "q_proj.lora_A.weight").shape, (std::vector<std::int64_t>{8, 6}));
  EXPECT_EQ(file.get(stem + "q_proj.lora_B.weight").shape, (std::vector<std::int64_t>{8, 8}));
  EXPECT_EQ(file.get(stem + "v_proj.lora_B.weight").shape, (std::vector<std::int64_t>{4, 8}));
  EXPECT_EQ(peft_key(0, "down_proj", 'B'),
            "base_model.model.model.layers.0.mlp.down_proj.lora_B.weight");
}

TEST_F(PeftAdapter, ReadAndWrittenAgainItIsTheSameFile) {
  const LoraAdapter adapter = read_peft_adapter(folder_.path(), small_config());
  EXPECT_TRUE(at::equal(adapter.flat(), trained_adapter().flat()));
  EXPECT_EQ(adapter.options().dropout, 0.05);
  TemporaryFolder again;
  write_peft_adapter(again.path(), adapter, 3, "base", true);
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors", "README.md"}) {
    EXPECT_EQ(again.get(name), folder_.get(name)) << name;
  }
}

// I1: tests/golden/peft was written by PEFT itself (make_peft_adapter.py).
TEST(PeftGolden, ReadAndWrittenAgainTheTensorsKeepTheirBytes) {
  const std::string golden = RALLREC_SOURCE_DIR "/tests/golden/peft";
  const LlmConfig config =
      models::llm::read_llm_config(RALLREC_SOURCE_DIR "/tests/golden/tiny/grouped");
  const LoraAdapter adapter = read_peft_adapter(golden, config);
  EXPECT_EQ(adapter.options().r, 3);
  EXPECT_EQ(adapter.options().alpha, 6.0);
  EXPECT_EQ(adapter.options().dropout, 0.1);
  EXPECT_EQ(adapter.options().modules, (std::vector<std::string>{"q_proj", "v_proj", "down_proj"}));
  TemporaryFolder folder;
  const char* kept = std::getenv("RALLREC_KEEP_PEFT");  // for make_peft_adapter.py --compare
  const std::string again = kept != nullptr ? kept : folder.path();
  write_peft_adapter(again, adapter, config.layers, "tiny/grouped", true);
  const io::SafetensorsFile theirs(golden + "/adapter_model.safetensors");
  const io::SafetensorsFile ours(again + "/adapter_model.safetensors");
  EXPECT_EQ(theirs.metadata().at("format"), ours.metadata().at("format"));
  ASSERT_EQ(theirs.tensors().size(), 12U);
  ASSERT_EQ(ours.tensors().size(), 12U);
  for (const io::TensorInfo& tensor : theirs.tensors()) {
    const io::TensorInfo& same = ours.get(tensor.name);
    EXPECT_EQ(same.type, tensor.type) << tensor.name;
    ASSERT_EQ(same.shape, tensor.shape) << tensor.name;
    const auto count = static_cast<std::size_t>(tensor.shape[0] * tensor.shape[1]);
    std::vector<float> a(count);
    std::vector<float> b(count);
    theirs.read(tensor, a.data());
    ours.read(same, b.data());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), count * sizeof(float)), 0) << tensor.name;
  }
}

TEST(PeftGolden, AnotherBaseIsRefusedWithTheReason) {
  const std::string golden = RALLREC_SOURCE_DIR "/tests/golden/peft";
  LlmConfig config = models::llm::read_llm_config(RALLREC_SOURCE_DIR "/tests/golden/tiny/grouped");
  config.intermediate_size = 96;
  expect_error(ExitCode::kBadData, "layers.0.mlp.down_proj.lora_A.weight",
               [&] { read_peft_adapter(golden, config); });
  expect_error(ExitCode::kBadData, "'tiny/grouped'", [&] { read_peft_adapter(golden, config); });
}

TEST_F(PeftAdapter, AllSevenModulesInAnyOrder) {
  LoraOptions options;
  options.r = 2;
  options.alpha = 3.5;
  options.modules = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
  TemporaryFolder folder;
  write_peft_adapter(folder.path(), trained_adapter(options), 3, "", true);
  const LoraAdapter adapter = read_peft_adapter(folder.path(), small_config());
  EXPECT_EQ(adapter.options().modules, options.modules);
  EXPECT_EQ(adapter.options().alpha, 3.5);
  EXPECT_TRUE(at::equal(adapter.flat(), trained_adapter(options).flat()));
}

TEST_F(PeftAdapter, SixteenBitTensorsAreWidened) {
  const LoraAdapter adapter = read_peft_adapter(folder_.path(), small_config());
  std::vector<io::TensorToWrite> tensors;
  std::vector<at::Tensor> kept;
  for (std::int64_t layer = 0; layer < 3; ++layer) {
    for (const std::string module : {"q_proj", "v_proj"}) {
      for (const char matrix : {'A', 'B'}) {
        const at::Tensor values =
            matrix == 'A' ? adapter.a(layer, module) : adapter.b(layer, module);
        kept.push_back(values.to(at::kBFloat16).contiguous());
        io::TensorToWrite tensor;
        tensor.name = peft_key(layer, module, matrix);
        tensor.type = io::TensorType::kBf16;
        tensor.shape = values.sizes().vec();
        tensor.data = kept.back().const_data_ptr();
        tensors.push_back(tensor);
      }
    }
  }
  io::write_safetensors(folder_.file("adapter_model.safetensors"), tensors);
  const LoraAdapter narrow = read_peft_adapter(folder_.path(), small_config());
  EXPECT_TRUE(at::equal(narrow.flat(), adapter.flat().to(at::kBFloat16).to(at::kFloat)));
}

TEST_F(PeftAdapter, WhatItDoesNotSupportIsRefusedByName) {
  const std::pair<const char*, const char*> cases[] = {
      {"\"use_dora\": false", "\"use_dora\": true"},
      {"\"use_rslora\": false", "\"use_rslora\": true"},
      {"\"bias\": \"none\"", "\"bias\": \"all\""},
      {"\"rank_pattern\": {}", "\"rank_pattern\": {\"q_proj\": 4}"},
      {"\"alpha_pattern\": {}", "\"alpha_pattern\": {\"q_proj\": 4}"},
      {"\"modules_to_save\": null", "\"modules_to_save\": [\"lm_head\"]"},
      {"\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa_niter_4\""},
      {"\"init_lora_weights\": true", "\"init_lora_weights\": \"loftq\""},
      {"\"init_lora_weights\": true", "\"init_lora_weights\": \"olora\""},
      {"\"init_lora_weights\": true", "\"init_lora_weights\": \"lora_ga\""},
      {"\"bias\": \"none\"", "\"bias\": \"lora_only\""},
      {"\"peft_type\": \"LORA\"", "\"peft_type\": \"LOHA\""}};
  const std::string original = folder_.get("adapter_config.json");
  for (const auto& [from, to] : cases) {
    set_config(from, to);
    const std::string key(from);
    expect_refused("key '" + key.substr(1, key.find('"', 1) - 1) + "'");
    folder_.put("adapter_config.json", original);
  }
}

TEST_F(PeftAdapter, SettingsThatItNeverWritesAreRefusedByNameToo) {
  const std::pair<const char*, const char*> cases[] = {{"lora_bias", "true"},
                                                       {"layers_to_transform", "[1]"},
                                                       {"layer_replication", "[[0, 2], [1, 3]]"},
                                                       {"exclude_modules", "[\"q_proj\"]"},
                                                       {"trainable_token_indices", "[5]"},
                                                       {"target_parameters", "[\"mlp.weight\"]"},
                                                       {"alora_invocation_tokens", "[1, 2]"},
                                                       {"use_qalora", "true"},
                                                       {"use_bdlora", "true"},
                                                       {"kasa_config", "{\"beta\": 0.1}"}};
  const std::string original = folder_.get("adapter_config.json");
  for (const auto& [key, value] : cases) {
    set_config("\"r\": 8", std::string("\"r\": 8, \"") + key + "\": " + value);
    expect_refused(std::string("key '") + key + "'");
    folder_.put("adapter_config.json", original);
    set_config("\"r\": 8", std::string("\"r\": 8, \"") + key + "\": null");
    EXPECT_EQ(read_peft_adapter(folder_.path(), small_config()).options().r, 8) << key;
    folder_.put("adapter_config.json", original);
  }
}

TEST_F(PeftAdapter, UnknownKeysAreIgnored) {
  set_config("\"r\": 8", "\"r\": 8, \"corda_config\": null, \"qalora_group_size\": 16");
  EXPECT_EQ(read_peft_adapter(folder_.path(), small_config()).options().r, 8);
}

TEST_F(PeftAdapter, AnAdapterOfAnotherModelIsNamed) {
  LlmConfig wider = small_config();
  wider.hidden_size = 8;
  expect_error(ExitCode::kBadData, "'base'", [&] { read_peft_adapter(folder_.path(), wider); });
  LlmConfig deeper = small_config();
  deeper.layers = 4;
  expect_error(ExitCode::kBadData, "layers.3", [&] { read_peft_adapter(folder_.path(), deeper); });
  LlmConfig shallower = small_config();
  shallower.layers = 2;
  expect_error(ExitCode::kBadData, "layers.2",
               [&] { read_peft_adapter(folder_.path(), shallower); });
}

TEST_F(PeftAdapter, AValueThatIsNotFiniteIsBadDataInItsFile) {
  const float infinite = std::numeric_limits<float>::infinity();
  std::string bytes = folder_.get("adapter_model.safetensors");
  std::memcpy(bytes.data() + bytes.size() - sizeof(infinite), &infinite, sizeof(infinite));
  folder_.put("adapter_model.safetensors", bytes);
  expect_refused("adapter_model.safetensors: tensor base_model.model.model.layers.2.");
}

TEST_F(PeftAdapter, MissingFilesAreNamed) {
  std::filesystem::remove(folder_.file("adapter_model.safetensors"));
  expect_error(ExitCode::kMissingInput, "adapter_model.safetensors",
               [&] { read_peft_adapter(folder_.path(), small_config()); });
  expect_error(ExitCode::kMissingInput, "adapter_config.json",
               [&] { read_peft_adapter(folder_.file("nowhere"), small_config()); });
}

TEST_F(PeftAdapter, AnUntrainedAdapterIsNotPublishedAsATrainedOne) {
  TemporaryFolder folder;
  const LoraAdapter fresh(small_config(), {}, 1);
  EXPECT_THROW(publish_peft_adapter(folder.file("adapter"), fresh, 3, "base", true), Error);
  EXPECT_FALSE(io::file_exists(folder.file("adapter")));
  publish_peft_adapter(folder.file("adapter"), fresh, 3, "base", false);
  publish_peft_adapter(folder.file("adapter"), trained_adapter(), 3, "base", true);
  EXPECT_TRUE(at::equal(read_peft_adapter(folder.file("adapter"), small_config()).flat(),
                        trained_adapter().flat()));
}

}  // namespace
}  // namespace rallrec::train
