// `rallrec merge`: the merged model alone is the base with its adapter.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/safetensors.h"
#include "models/llm/llm_config.h"
#include "tests/commands/tuning_fixture.h"
#include "train/peft_adapter.h"

namespace rallrec::testing {
namespace {

namespace fs = std::filesystem;
using models::llm::LoraAdapter;

class Merge : public TuningFixture {
 protected:
  // An adapter of random numbers for the model in `base`.
  LoraAdapter write_adapter(const std::string& base) const {
    const auto config = models::llm::read_llm_config(base);
    LoraAdapter adapter(config, {4, 8.0, 0.0, {"q_proj", "v_proj", "down_proj"}}, 5);
    Rng rng(6);
    for (std::int64_t i = 0; i < adapter.flat().numel(); ++i) {
      adapter.flat().data_ptr<float>()[i] = static_cast<float>(0.1 * rng.next_normal());
    }
    fs::create_directories(folder.file("adapter"));
    train::write_peft_adapter(folder.file("adapter"), adapter, config.layers, base, true);
    return adapter;
  }
  std::vector<std::string> arguments(const std::string& base) const {
    return {"merge",
            "--model",
            base,
            "--adapter",
            folder.file("adapter"),
            "--output",
            folder.file("merged")};
  }
  at::Tensor logits(const std::string& base, const std::vector<std::string>& more) const {
    const std::string input =
        folder.put("ids.jsonl", "{\"ids\":[1,5,9]}\n{\"ids\":[40,2]}\n{\"ids\":[7]}\n");
    std::vector<std::string> line = {"logits",  "--model",  base,
                                     "--quant", "fp32",     "--input",
                                     input,     "--output", folder.file("logits.safetensors")};
    line.insert(line.end(), more.begin(), more.end());
    const Outcome outcome = run(1, line);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const io::SafetensorsFile file(folder.file("logits.safetensors"));
    at::Tensor values = at::empty(file.get("logits").shape, at::kFloat);
    file.read(file.get("logits"), values.mutable_data_ptr());
    return values;
  }
};

at::Tensor tensor_of(const io::SafetensorsFolder& weights, const std::string& name) {
  const io::TensorInfo& info = weights.get(name);
  at::Tensor values = at::empty(info.shape, at::kFloat);
  weights.read_rows_as_float(name, 0, info.shape.front(), values.data_ptr<float>());
  return values;
}

TEST_F(Merge, TheMergedModelGivesTheLogitsOfBaseAndAdapter) {
  write_adapter(model);
  const at::Tensor base = logits(model, {});
  const at::Tensor adapted = logits(model, {"--adapter", folder.file("adapter")});
  const Outcome outcome = run(2, arguments(model));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const at::Tensor merged = logits(folder.file("merged"), {});
  EXPECT_LT((merged - adapted).abs().max().item<float>(), 1e-4F);
  EXPECT_GT((merged - base).abs().max().item<float>(), 0.1F);
}

// Sharded bf16 weights, as large models are published.
TEST_F(Merge, KeepsShardsTypesAndEverythingElse) {
  const std::string base = std::string(RALLREC_SOURCE_DIR) + "/tests/golden/tiny/sharded_bf16";
  const LoraAdapter adapter = write_adapter(base);
  const Outcome outcome = run(1, arguments(base));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const io::SafetensorsFolder before(base);
  const io::SafetensorsFolder after(folder.file("merged"));
  ASSERT_EQ(after.names(), before.names());
  ASSERT_EQ(after.paths().size(), before.paths().size());
  EXPECT_GT(after.paths().size(), 1U);
  int changed = 0;
  for (const std::string& name : before.names()) {
    EXPECT_EQ(after.get(name).type, io::TensorType::kBf16) << name;
    const at::Tensor old = tensor_of(before, name);
    at::Tensor want = old;
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      for (const char* module : {"q_proj", "v_proj", "down_proj"}) {
        if (name == models::llm::weight_name(layer, models::llm::linear_named(module))) {
          const at::Tensor sum =
              old.to(at::kDouble) + 2.0 * at::matmul(adapter.b(layer, module).to(at::kDouble),
                                                     adapter.a(layer, module).to(at::kDouble));
          want = sum.to(at::kFloat).to(at::kBFloat16).to(at::kFloat);
          changed += at::equal(want, old) ? 0 : 1;
        }
      }
    }
    EXPECT_TRUE(at::equal(tensor_of(after, name), want)) << name;
  }
  EXPECT_EQ(changed, 6);
  for (const fs::directory_entry& entry : fs::directory_iterator(base)) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(fs::exists(folder.file("merged/" + name))) << name;
  }
}

TEST_F(Merge, RefusesWhatDoesNotFitAndLeavesNothing) {
  write_adapter(model);
  std::vector<std::string> line = arguments(model);
  line[4] = folder.file("nowhere");
  EXPECT_EQ(run(1, line).code, 66);
  EXPECT_EQ(run(1, {"merge", "--model", model}).code, 64);
  line = arguments(std::string(RALLREC_SOURCE_DIR) + "/tests/golden/tiny/grouped");
  const Outcome other = run(1, line);
  EXPECT_EQ(other.code, 65);
  EXPECT_NE(other.err.find("adapter_model.safetensors"), std::string::npos) << other.err;
  EXPECT_FALSE(fs::exists(folder.file("merged")));
  fs::create_directories(folder.file("merged"));
  const Outcome exists = run(1, arguments(model));
  EXPECT_EQ(exists.code, 64);
  EXPECT_NE(exists.err.find("exists"), std::string::npos) << exists.err;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path())) {
    EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
  }
}

TEST_F(Merge, NamesAnAdapterThatWasTunedOnAnotherModel) {
  write_adapter(model);
  const std::string warning = "this adapter was tuned on '" + model + "'";
  const Outcome same = run(1, arguments(model));
  ASSERT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(same.err.find(warning), std::string::npos) << same.err;
  fs::remove_all(folder.file("merged"));
  fs::rename(model, folder.file("renamed"));
  const Outcome other = run(1, arguments(folder.file("renamed")));
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_NE(other.err.find(warning), std::string::npos) << other.err;
}

// All bits of a number set, which is NaN in each of the types.
void damage(const std::string& path, const std::string& tensor) {
  const std::uint64_t begin = io::SafetensorsFile(path).get(tensor).begin;
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  std::uint64_t header = 0;
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  file.seekp(static_cast<std::streamoff>(sizeof header + header + begin));
  file.write("\xFF\xFF\xFF\xFF", 4);
}

TEST_F(Merge, RefusesWeightsThatAreNotFinite) {
  write_adapter(model);
  const std::string name = models::llm::weight_name(1, models::llm::linear_named("q_proj"));
  damage(model + "/model.safetensors", name);
  const Outcome outcome = run(1, arguments(model));
  EXPECT_EQ(outcome.code, 65) << outcome.err;
  EXPECT_NE(outcome.err.find(name), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(folder.file("merged")));
}

}  // namespace
}  // namespace rallrec::testing
