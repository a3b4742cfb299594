// Checkpoints and states of a run that are torn, edited by hand, or another run's.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <limits>

#include "io/files.h"
#include "io/hash.h"
#include "io/json_writer.h"
#include "io/safetensors.h"
#include "tests/support/malformed.h"
#include "tests/train/checkpoint_fixture.h"
#include "train/checkpoint.h"
#include "train/checkpoint_manifest.h"
#include "train/tune_state.h"

namespace rallrec::train {
namespace {

namespace fs = std::filesystem;
using models::llm::LoraAdapter;
using rallrec::testing::expect_refused;
using rallrec::testing::is_refused;
using rallrec::testing::Malformed;
using rallrec::testing::record_refused;
using rallrec::testing::TemporaryFolder;

void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

void replace(const std::string& path, const std::string& from, const std::string& to) {
  std::string text = io::read_file(path);
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  put(path, text.replace(at, from.size(), to));
}

void cut(const std::string& path, std::uint64_t bytes) {
  fs::resize_file(path, fs::file_size(path) - bytes);
}

// What a case does to the folder of a good checkpoint, and the file that is blamed.
struct Damage {
  const char* name;
  const char* file;
  std::string message;
  std::function<void(const std::string& folder)> change;
  ExitCode code = ExitCode::kBadData;
};

Damage in_file(const char* name, const char* file, const std::string& from, const std::string& to,
               const std::string& message) {
  return {name, file, message, [=](const std::string& f) { replace(f + "/" + file, from, to); }};
}

// The manifest is changed and signed anew.
Damage in_manifest(const char* name, const std::string& from, const std::string& to,
                   const std::string& message) {
  return {name, "manifest.json", message, [=](const std::string& folder) {
            const std::string path = folder + "/manifest.json";
            replace(path, from, to);
            const std::string key = ", \"manifest_sha256\": ";
            const std::string text = io::read_file(path);
            const std::string body = text.substr(0, text.rfind(key));
            put(path, body + key + io::to_json(io::sha256_hex(body)) + "}\n");
          }};
}

// Files are changed, and the manifest made to agree with them.
Damage agreed(Damage damage) {
  const auto change = damage.change;
  damage.change = [change](const std::string& folder) {
    CheckpointManifest manifest = read_verified_manifest(folder);
    change(folder);
    for (CheckpointFile& file : manifest.files) {
      file = record_of(folder, file.name);
    }
    write_manifest(folder, manifest);
  };
  return damage;
}

Damage in_state(const char* name, const std::string& from, const std::string& to,
                const std::string& message) {
  return agreed(in_file(name, "state.json", from, to, message));
}

std::vector<Damage> torn_cases() {
  const std::string torn = "is damaged: its content is not what manifest.json says";
  const std::string own = "is damaged: its content is not what its own hash says";
  const auto remove = [](const char* name, const char* file) {
    return Damage{name, file, "no such file",
                  [=](const std::string& f) { fs::remove(f + "/" + file); },
                  ExitCode::kMissingInput};
  };
  return {
      remove("no state", "state.json"),
      remove("no optimizer", "optimizer.safetensors"),
      remove("no weights", "adapter_model.safetensors"),
      remove("no config of the adapter", "adapter_config.json"),
      remove("no manifest", "manifest.json"),
      {"state cut off", "state.json", torn, [](const auto& f) { cut(f + "/state.json", 5); }},
      {"optimizer cut off", "optimizer.safetensors", torn,
       [](const auto& f) { cut(f + "/optimizer.safetensors", 1); }},
      {"optimizer is empty", "optimizer.safetensors", torn,
       [](const auto& f) { put(f + "/optimizer.safetensors", ""); }},
      {"weights are zeros of that size", "adapter_model.safetensors", torn,
       [](const auto& f) {
         const std::string path = f + "/adapter_model.safetensors";
         put(path, std::string(fs::file_size(path), '\0'));
       }},
      {"state edited", "state.json", torn,
       [](const auto& f) { replace(f + "/state.json", "\"step\": 2", "\"step\": 3"); }},
      {"state is a folder", "state.json", "is a folder",
       [](const auto& f) {
         fs::remove(f + "/state.json");
         fs::create_directory(f + "/state.json");
       }},
      {"manifest is empty", "manifest.json", own,
       [](const auto& f) { put(f + "/manifest.json", ""); }},
      {"manifest cut off", "manifest.json", own,
       [](const auto& f) { cut(f + "/manifest.json", 40); }},
      {"manifest without its end", "manifest.json", own,
       [](const auto& f) { cut(f + "/manifest.json", 1); }},
      {"manifest with line ends of Windows", "manifest.json", own,
       [](const auto& f) { replace(f + "/manifest.json", "}\n", "}\r\n"); }},
      in_file("step edited", "manifest.json", "\"step\": 2", "\"step\": 9", own),
  };
}

std::vector<Damage> manifest_cases() {
  return {
      in_manifest("a later version", "\"format\": 1", "\"format\": 2",
                  "format 2 is not known to this"),
      in_manifest("no version", "\"format\": 1, ", "", "key 'format': expected a count"),
      in_manifest("version as text", "\"format\": 1", "\"format\": \"1\"",
                  "'format': expected a count"),
      in_manifest("negative step", "\"step\": 2", "\"step\": -2", "key 'step': expected a count"),
      in_manifest("half a step", "\"step\": 2", "\"step\": 2.5", "key 'step': expected a count"),
      in_manifest("step above 63 bits", "\"step\": 2", "\"step\": 9223372036854775808",
                  "key 'step': expected a count"),
      in_manifest("step twice", "\"step\": 2", "\"step\": 2, \"step\": 3",
                  "key 'step' appears twice"),
      in_manifest("no ranks", "\"world_size\": 3, ", "", "key 'world_size': expected a count"),
      in_manifest("hash is a number", "\"config_sha256\": \"config\"", "\"config_sha256\": 7",
                  "key 'config_sha256': expected a string"),
      in_manifest("no list of files", "\"files\": [", "\"filez\": [",
                  "key 'files': expected a list"),
      in_manifest("a name in the list", "\"files\": [", "\"files\": [\"x\", ",
                  "key 'name': expected a string"),
      in_manifest("a file elsewhere", "\"name\": \"state.json\"", "\"name\": \"../state.json\"",
                  "'../state.json' is no plain file name"),
      in_manifest("a hidden file", "\"name\": \"state.json\"", "\"name\": \".state.json\"",
                  "'.state.json' is no plain file name"),
      in_manifest("a file without size",
                  "\"size\": ", "\"bytes\": ", "key 'size': expected a count"),
      in_manifest("a file left out", "\"name\": \"state.json\"", "\"name\": \"README.md\"",
                  "names no file state.json"),
      in_manifest("cut off and signed", "\"files\": [", "\"files\": [[", ": not valid JSON near"),
  };
}

std::vector<Damage> state_cases() {
  return {
      in_state("no step", "\"step\": 2, ", "", "key 'step': expected a count"),
      in_state("negative step", "\"step\": 2", "\"step\": -2", "key 'step': expected a count"),
      in_state("step as text", "\"step\": 2", "\"step\": \"2\"", "key 'step': expected a count"),
      in_state("step of another checkpoint", "\"step\": 2", "\"step\": 7",
               "key 'step': is 7, and manifest.json is of step 2"),
      in_state("no steps of Adam", "\"adam_steps\": 1, ", "", "key 'adam_steps': expected a count"),
      in_state("no patience", "\"epochs_without_improvement\": 2, ", "",
               "key 'epochs_without_improvement': expected a count"),
      in_state("best loss is null", "\"best_loss\": 0", "\"best_loss\": null, \"x\": 0",
               "key 'best_loss': expected a number"),
      in_state("no step of the best", "\"best_step\": 1, ", "",
               "key 'best_step': expected a count"),
      in_state("losses are a text", "\"recent_losses\": [", "\"recent_losses\": \"\", \"x\": [",
               "key 'recent_losses': expected a list of numbers"),
      in_state("a loss is null", "\"recent_losses\": [", "\"recent_losses\": [null, ",
               "key 'recent_losses': expected a list of numbers"),
      in_state("a loss is NaN", "\"recent_losses\": [", "\"recent_losses\": [NaN, ",
               ": not valid JSON near"),
      in_state("step twice", "\"step\": 2", "\"step\": 2, \"step\": 2", "key 'step' appears twice"),
      agreed({"state is empty", "state.json", ":1:1: the JSON text ends too early",
              [](const auto& f) { put(f + "/state.json", ""); }}),
      agreed({"state is a list", "state.json", "key 'step': expected a count",
              [](const auto& f) { put(f + "/state.json", "[2]"); }}),
  };
}

// The optimizer's file with these tensors in the place of its own.
Damage with_tensors(const char* name, const std::string& message,
                    const std::function<void(std::vector<io::TensorToWrite>&)>& change) {
  return agreed({name, "optimizer.safetensors", message, [change](const std::string& folder) {
                   const TrainingState state = random_state(2);
                   const auto count = static_cast<std::int64_t>(state.adam.first_moment().size());
                   const auto tensor = [count](const char* of, const std::vector<float>& values) {
                     return io::TensorToWrite{of, io::TensorType::kF32, {count}, values.data()};
                   };
                   std::vector<io::TensorToWrite> tensors = {
                       tensor("first_moment", state.adam.first_moment()),
                       tensor("second_moment", state.adam.second_moment()),
                       tensor("best_parameters", state.best->parameters)};
                   change(tensors);
                   io::write_safetensors(folder + "/optimizer.safetensors", tensors);
                 }});
}

std::vector<Damage> tensor_cases() {
  static const std::vector<float> infinite(10000, std::numeric_limits<float>::infinity());
  static const std::vector<float> nan(10000, std::numeric_limits<float>::quiet_NaN());
  return {
      with_tensors("no second moment", "tensor 'second_moment' is missing",
                   [](auto& tensors) { tensors.erase(tensors.begin() + 1); }),
      with_tensors("no best parameters", "tensor 'best_parameters' is missing",
                   [](auto& tensors) { tensors.pop_back(); }),
      with_tensors("moment of another size", "tensor first_moment is ",
                   [](auto& tensors) { --tensors[0].shape[0]; }),
      with_tensors("moment as a column", "tensor first_moment is ",
                   [](auto& tensors) { tensors[0].shape.push_back(1); }),
      with_tensors("integers", "tensor second_moment is ",
                   [](auto& tensors) { tensors[1].type = io::TensorType::kI32; }),
      with_tensors("moment of NaN", "holds a value that is not finite",
                   [](auto& tensors) { tensors[0].data = nan.data(); }),
      with_tensors("infinite moment", "holds a value that is not finite",
                   [](auto& tensors) { tensors[1].data = infinite.data(); }),
      with_tensors("best of NaN", "holds a value that is not finite",
                   [](auto& tensors) { tensors[2].data = nan.data(); }),
      agreed({"pointer of Git LFS", "optimizer.safetensors", "not a safetensors file, or cut off",
              [](const auto& f) {
                put(f + "/optimizer.safetensors", "version https://git-lfs.github.com/spec/v1\n");
              }}),
      agreed({"another rank", "adapter_model.safetensors", "r of adapter_config.json imply [16, 4]",
              [](const auto& f) { replace(f + "/adapter_config.json", "\"r\": 8", "\"r\": 16"); }}),
      agreed(in_file("alpha of zero", "adapter_config.json", "\"lora_alpha\": 16",
                     "\"lora_alpha\": 0", "key 'lora_alpha': expected a number above 0")),
  };
}

class CheckpointMalformed : public ::testing::Test {
 protected:
  // Saves a good checkpoint for each case, damages and loads it.
  void expect_damage_refused(const std::vector<Damage>& cases, int least) {
    int refused = 0;
    for (const Damage& damage : cases) {
      SCOPED_TRACE(damage.name);
      const TemporaryFolder folder;
      const std::string path =
          save_checkpoint(folder.path(), random_adapter(2), random_state(2), kIdentity, kOrigin);
      damage.change(path);
      refused += is_refused(damage.code, path + "/" + damage.file, damage.message,
                            [&] { load(path, kIdentity); });
    }
    record_refused(refused, least);
  }
  static void load(const std::string& path, const RunIdentity& identity) {
    LoraAdapter adapter(fake_config(), {}, 0);
    load_checkpoint(path, identity, fake_config(), adapter);
  }
};

TEST_F(CheckpointMalformed, TornFiles) { expect_damage_refused(torn_cases(), 16); }
TEST_F(CheckpointMalformed, Manifests) { expect_damage_refused(manifest_cases(), 16); }
TEST_F(CheckpointMalformed, States) { expect_damage_refused(state_cases(), 14); }
TEST_F(CheckpointMalformed, Tensors) { expect_damage_refused(tensor_cases(), 11); }

TEST_F(CheckpointMalformed, OtherRuns) {
  const TemporaryFolder folder;
  const std::string path =
      save_checkpoint(folder.path(), random_adapter(2), random_state(2), kIdentity, kOrigin);
  const std::pair<RunIdentity, const char*> cases[] = {
      {{"other", "data", "model"},
       "holds a run with other options; go on with what it was started"},
      {{"config", "other", "model"}, "holds a run with other prompts; go on with"},
      {{"config", "data", "other"}, "holds a run with another model; go on with"},
      {{"", "", ""}, "holds a run with other options, other prompts, another model; go on with"}};
  int refused = 0;
  for (const auto& [identity, message] : cases) {
    refused += is_refused(ExitCode::kUsage, path, message, [&] { load(path, identity); });
  }
  record_refused(refused, 4);
}

// A good tune_state.json with `from` replaced.
std::string state_of_run(const std::string& from, const std::string& to) {
  const TemporaryFolder folder;
  write_tune_state(folder.path(), {{"c", "d", "m", "{\"tune.seed\": 1}"}, true, 12, "a"});
  replace(folder.file("tune_state.json"), from, to);
  return folder.get("tune_state.json");
}

std::vector<Malformed> run_cases() {
  const std::string cure = "remove the file to go on from the newest checkpoint, or start anew";
  const std::string anew = "; start anew with --resume never";
  return {
      {"empty", "", ":1:1: the JSON text ends too early; " + cure},
      {"cut off", "{\"config_sha256\": \"c", "the JSON text ends too early; " + cure},
      {"NUL bytes after a crash", std::string(200, '\0'), ":1:1: a NUL byte is not allowed"},
      {"key twice", state_of_run("\"steps\": 12", "\"steps\": 12, \"steps\": 13"),
       "key 'steps' appears twice; " + cure},
      {"a list", "[]", "key 'config_sha256' is missing" + anew},
      {"no data", state_of_run("\"data_sha256\"", "\"data\""),
       "key 'data_sha256' is missing" + anew},
      {"hash is a number", state_of_run("\"m\"", "7"),
       "key 'model_sha256': expected a string" + anew},
      {"options are a text", state_of_run("{\"tune.seed\": 1}", "\"seed 1\""),
       "key 'options': expected an object" + anew},
      {"finished as text", state_of_run("true", "\"true\""),
       "'finished': expected true or false" + anew},
      {"finished is null", state_of_run("true", "null"),
       "'finished': expected true or false" + anew},
      {"negative steps", state_of_run("12", "-12"), "key 'steps': expected a count" + anew},
      {"steps as text", state_of_run("12", "\"12\""), "key 'steps': expected a count" + anew},
      {"no hash of the adapter", state_of_run("\"adapter_sha256\"", "\"adapter\""),
       "key 'adapter_sha256' is missing" + anew},
  };
}

TEST_F(CheckpointMalformed, StatesOfARun) {
  expect_refused("tune_state.json", run_cases(), 13,
                 [](const std::string& path) { read_tune_state(io::folder_of(path)); });
}

}  // namespace
}  // namespace rallrec::train
