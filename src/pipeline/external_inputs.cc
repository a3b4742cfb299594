#include "pipeline/external_inputs.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "io/files.h"
#include "io/hash.h"
#include "models/llm/quant_mode.h"

namespace rallrec::pipeline {
namespace {

namespace fs = std::filesystem;

void check_named(const std::string& path, const char* key, const char* what) {
  if (path.empty()) {
    throw_usage(std::string(key) + ": is empty; it must name " + what);
  }
  if (!io::file_exists(path)) {
    throw_missing(path, std::string("no such file or folder; ") + key + " must name " + what);
  }
}

// Regular files right in `folder`, sorted.
std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  fs::directory_iterator it(folder, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    if (it->is_regular_file(error)) {
      files.push_back(it->path().string());
    }
  }
  if (error) {
    throw_io(folder, "listing the folder", error.value());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool belongs_to(const std::string& file, ModelUse use) {
  const std::string name = io::name_of(file);
  const std::string extension = fs::path(name).extension().string();
  const bool tokenizer = name == "config.json" || name.rfind("tokenizer", 0) == 0 ||
                         name == "special_tokens_map.json" || name.rfind("chat_template", 0) == 0;
  const bool weights = extension == ".json" || extension == ".safetensors";
  return tokenizer || (use == ModelUse::kWeights && weights);
}

}  // namespace

std::vector<std::string> data_files(const config::Options& options) {
  const std::string& path = options.data.path;
  check_named(path, "data.path", "the folder with the raw files");
  // A ratings file stands for its folder: users and items are read from the files beside it.
  std::vector<std::string> files = files_in(io::is_folder(path) ? path : io::folder_of(path));
  const auto is_reject = [](const std::string& file) {
    return fs::path(file).extension() == ".rejects";
  };
  files.erase(std::remove_if(files.begin(), files.end(), is_reject), files.end());
  return files;
}

std::vector<std::string> template_files(const config::Options& options) {
  check_named(options.prompt.templates, "prompt.templates", "the file with the wording");
  return {options.prompt.templates};
}

std::vector<std::string> describe_files(const config::Options& options) {
  std::vector<std::string> files = template_files(options);
  if (!options.describe.file.empty()) {
    check_named(options.describe.file, "describe.file", "JSON Lines with descriptions");
    files.push_back(options.describe.file);
  }
  return files;
}

std::vector<std::string> adapter_files(const config::Options& options) {
  const std::string& folder = options.infer.adapter;
  if (folder.empty() || folder == kNoAdapter) {
    return {};
  }
  std::vector<std::string> files;
  for (const char* name : {"/adapter_config.json", "/adapter_model.safetensors"}) {
    files.push_back(folder + name);
    check_named(files.back(), "infer.adapter", "a PEFT folder, \"none\" or nothing");
  }
  return files;
}

void require_model_folder(const std::string& folder) {
  check_named(folder, "model.path", "a Hugging Face model folder");
  if (!io::is_folder(folder)) {
    throw_bad_data(folder, "is not a folder; model.path must name a Hugging Face model folder");
  }
}

std::string hash_memory(const config::Options& options, const std::string& folder) {
  return (options.model.cache.empty() ? folder : options.model.cache) + "/file_hashes.json";
}

std::string model_sha256(const config::Options& options, ModelUse use, io::FileHashes& hashes) {
  if (use == ModelUse::kNone) {
    return "";
  }
  const std::string& folder = options.model.path;
  require_model_folder(folder);
  io::Sha256 hash;
  for (const std::string& file : files_in(folder)) {
    if (belongs_to(file, use)) {
      const io::FileRecord record = hashes.record(file, io::name_of(file));
      hash.update(record.path + " " + record.sha256 + "\n");
    }
  }
  if (use == ModelUse::kWeights) {
    hash.update(
        "quant " +
        models::llm::resolved_quant(options.model.quant, config::device_of(options.cluster)) +
        "\n");
  }
  return hash.finish();
}

}  // namespace rallrec::pipeline
