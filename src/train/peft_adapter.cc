#include "train/peft_adapter.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "core/check.h"
#include "core/error.h"
#include "core/finite.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/safetensors.h"
#include "io/tensor_type.h"
#include "models/llm/linear_names.h"

namespace rallrec::train {
namespace {

namespace fs = std::filesystem;
using models::llm::LoraAdapter;

constexpr const char* kConfigName = "adapter_config.json";
constexpr const char* kWeightsName = "adapter_model.safetensors";

// One matrix of the adapter under its name in the file.
struct NamedMatrix {
  std::string name;
  at::Tensor matrix;  // a view, contiguous
};

std::vector<NamedMatrix> matrices_of(const LoraAdapter& adapter, std::int64_t layers) {
  std::vector<NamedMatrix> matrices;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    for (const std::string& module : adapter.options().modules) {
      matrices.push_back({peft_key(layer, module, 'A'), adapter.a(layer, module)});
      matrices.push_back({peft_key(layer, module, 'B'), adapter.b(layer, module)});
    }
  }
  return matrices;
}

void write_weights(const std::string& path, const std::vector<NamedMatrix>& matrices) {
  std::vector<io::TensorToWrite> tensors;
  for (const NamedMatrix& one : matrices) {
    io::TensorToWrite tensor;
    tensor.name = one.name;
    tensor.shape = one.matrix.sizes().vec();
    tensor.data = one.matrix.const_data_ptr<float>();
    tensors.push_back(std::move(tensor));
  }
  io::write_safetensors(path, tensors, {{"format", "pt"}});
}

std::string readme_text(const std::string& base_model, const LoraAdapter& adapter) {
  std::string modules;
  for (const std::string& module : adapter.options().modules) {
    modules += (modules.empty() ? "" : ", ") + module;
  }
  return "---\nbase_model: " + base_model +
         "\nlibrary_name: peft\ntags:\n- lora\n---\n\n# LoRA adapter\n\nTrained by `rallrec tune` "
         "on " +
         modules + " with rank " + std::to_string(adapter.options().r) +
         ". Load it with\n`PeftModel.from_pretrained(base, folder)`, or score prompts with\n"
         "`rallrec infer --model BASE --adapter FOLDER`.\n";
}

// Shape and, widened to fp32, content of a stored matrix; kBadData where the shape is another.
void read_matrix(const io::SafetensorsFile& file, const std::string& name, const at::Tensor& into,
                 const std::string& base_model) {
  const io::TensorInfo& tensor = file.get(name);
  if (tensor.shape != into.sizes().vec()) {
    throw_bad_data(
        file.path(),
        fmt::format("tensor {} is {}, but the model and r of adapter_config.json imply [{}, {}]; "
                    "the adapter says that it was made for {}",
                    name, tensor.shape_text(), into.size(0), into.size(1),
                    base_model.empty() ? "no model by name" : "'" + base_model + "'"));
  }
  if (tensor.type != io::TensorType::kF32 && tensor.type != io::TensorType::kF16 &&
      tensor.type != io::TensorType::kBf16) {
    throw_bad_data(file.path(), fmt::format("tensor {} is stored as {}; expected F32, F16 or BF16",
                                            name, io::name_of(tensor.type)));
  }
  std::vector<char> bytes(static_cast<std::size_t>(tensor.end - tensor.begin));
  file.read(tensor, bytes.data());
  io::widen_to_float(tensor.type, bytes.data(), static_cast<std::size_t>(into.numel()),
                     into.mutable_data_ptr<float>());
  const float* values = into.const_data_ptr<float>();
  if (!all_finite(values, static_cast<std::size_t>(into.numel()))) {
    throw_bad_data(file.path(), fmt::format("tensor {} holds a value that is not finite", name));
  }
}

void read_weights(const std::string& path, const std::string& base_model, std::int64_t layers,
                  LoraAdapter& adapter) {
  const io::SafetensorsFile file(path);
  const std::vector<NamedMatrix> matrices = matrices_of(adapter, layers);
  for (const NamedMatrix& one : matrices) {
    read_matrix(file, one.name, one.matrix, base_model);
  }
  if (file.tensors().size() == matrices.size()) {
    return;
  }
  for (const io::TensorInfo& tensor : file.tensors()) {
    bool known = false;
    for (const NamedMatrix& one : matrices) {
      known = known || one.name == tensor.name;
    }
    if (!known) {
      throw_bad_data(path, "tensor " + tensor.name +
                               " is not part of the adapter that adapter_config.json describes");
    }
  }
}

bool any_b_is_set(const std::vector<NamedMatrix>& matrices) {
  for (std::size_t i = 1; i < matrices.size(); i += 2) {
    const at::Tensor& b = matrices[i].matrix;
    const float* values = b.const_data_ptr<float>();
    for (std::int64_t j = 0; j < b.numel(); ++j) {
      if (values[j] != 0.0F) {
        return true;
      }
    }
  }
  return false;
}

// Reads the files back as a stranger would and compares.
void verify(const std::string& folder, const LoraAdapter& adapter, std::int64_t layers) {
  const PeftConfig config = read_peft_config(folder);
  const models::llm::LoraOptions& options = adapter.options();
  RALLREC_CHECK(config.lora.r == options.r && config.lora.alpha == options.alpha &&
                    config.lora.modules.size() == options.modules.size(),
                folder + ": adapter_config.json does not read back as written");
  const io::SafetensorsFile file(folder + "/" + kWeightsName);
  const std::vector<NamedMatrix> matrices = matrices_of(adapter, layers);
  RALLREC_CHECK(file.tensors().size() == matrices.size(),
                folder + ": the adapter has another number of tensors than were written");
  for (const NamedMatrix& one : matrices) {
    const at::Tensor stored = at::empty_like(one.matrix);
    read_matrix(file, one.name, stored, config.base_model);
    const auto bytes = static_cast<std::size_t>(stored.numel()) * sizeof(float);
    RALLREC_CHECK(
        std::memcmp(stored.const_data_ptr<float>(), one.matrix.const_data_ptr<float>(), bytes) == 0,
        folder + ": tensor " + one.name + " does not read back as written");
  }
}

}  // namespace

std::string peft_key(std::int64_t layer, const std::string& module, char matrix) {
  const std::string weight = models::llm::weight_name(layer, models::llm::linear_named(module));
  const std::string stem = weight.substr(0, weight.rfind(".weight"));
  return "base_model.model." + stem + ".lora_" + matrix + ".weight";
}

std::vector<std::string> write_peft_adapter(const std::string& folder, const LoraAdapter& adapter,
                                            std::int64_t layers, const std::string& base_model,
                                            bool expect_trained) {
  const std::vector<NamedMatrix> matrices = matrices_of(adapter, layers);
  RALLREC_CHECK(!expect_trained || any_b_is_set(matrices),
                "the adapter's B are all zero after training");
  io::write_file_atomically(folder + "/" + kConfigName,
                            peft_config_text({adapter.options(), base_model}));
  write_weights(folder + "/" + kWeightsName, matrices);
  io::write_file_atomically(folder + "/README.md", readme_text(base_model, adapter));
  verify(folder, adapter, layers);
  return {kConfigName, kWeightsName, "README.md"};
}

void publish_peft_adapter(const std::string& folder, const LoraAdapter& adapter,
                          std::int64_t layers, const std::string& base_model, bool expect_trained) {
  const std::string hidden =
      io::folder_of(folder) + "/." + io::name_of(folder) + ".tmp-" + std::to_string(::getpid());
  const io::TemporaryFolder unfinished(hidden + "-new");
  const std::string& fresh = unfinished.path();
  const std::string old = hidden + "-old";
  write_peft_adapter(fresh, adapter, layers, base_model, expect_trained);
  const bool replaces = io::file_exists(folder);
  if (replaces) {
    io::rename_folder(folder, old);
  }
  io::rename_folder(fresh, folder);
  io::sync_folder(io::folder_of(folder));
  std::error_code ignored;
  fs::remove_all(old, ignored);
}

LoraAdapter read_peft_adapter(const std::string& folder, const models::llm::LlmConfig& config) {
  const PeftConfig peft = read_peft_config(folder);
  const std::string path = folder + "/" + kWeightsName;
  if (!io::file_exists(path)) {
    throw_missing(path, "not found; an adapter in the PEFT layout holds it beside " +
                            std::string(kConfigName));
  }
  // Before memory is asked for: what the config file claims must be there.
  const auto claimed =
      static_cast<std::uint64_t>(models::llm::LoraLayout(config, peft.lora).parameters());
  if (io::SafetensorsFile(path).data_bytes() / 2 < claimed) {
    throw_bad_data(path, "holds fewer values than r = " + std::to_string(peft.lora.r) +
                             " in adapter_config.json needs");
  }
  LoraAdapter adapter(config, peft.lora, 0);
  read_weights(path, peft.base_model, config.layers, adapter);
  return adapter;
}

}  // namespace rallrec::train
