#include "train/checkpoint_manifest.h"

#include <spdlog/fmt/fmt.h>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/hash.h"
#include "io/input_file.h"
#include "io/json_value.h"
#include "io/json_writer.h"

namespace rallrec::train {
namespace {

constexpr const char* kName = "/manifest.json";
constexpr std::int64_t kFormat = 1;
constexpr const char* kHashKey = ", \"manifest_sha256\": ";
// What every checkpoint needs; a manifest that leaves one out is not believed.
constexpr const char* kRequired[] = {"adapter_config.json", "adapter_model.safetensors",
                                     "optimizer.safetensors", "state.json"};

// Getters that blame the manifest.
class ManifestReader {
 public:
  explicit ManifestReader(const std::string& path) : path_(path) {}

  [[noreturn]] void fail(const std::string& key, const std::string& expected) const {
    throw_bad_data(path_, fmt::format("key '{}': expected {}", key, expected));
  }

  std::string string(const io::JsonValue& object, const char* key) const {
    const io::JsonValue* value = object.find(key);
    if (value == nullptr || value->string() == nullptr) {
      fail(key, "a string");
    }
    return *value->string();
  }

  std::int64_t count(const io::JsonValue& object, const char* key) const {
    const io::JsonValue* value = object.find(key);
    if (value == nullptr || value->integer() == nullptr || *value->integer() < 0) {
      fail(key, "a count");
    }
    return *value->integer();
  }

  std::vector<CheckpointFile> files(const io::JsonValue& root) const {
    const io::JsonValue* list = root.find("files");
    if (list == nullptr || list->array() == nullptr) {
      fail("files", "a list");
    }
    std::vector<CheckpointFile> files;
    for (const io::JsonValue& item : *list->array()) {
      const std::string name = string(item, "name");
      if (name.empty() || name.find('/') != std::string::npos || name[0] == '.') {
        throw_bad_data(path_, "'" + name + "' is no plain file name");
      }
      files.push_back(
          {name, static_cast<std::uint64_t>(count(item, "size")), string(item, "sha256")});
    }
    return files;
  }

 private:
  std::string path_;
};

std::string body_of(const CheckpointManifest& manifest) {
  std::string files;
  for (const CheckpointFile& file : manifest.files) {
    io::JsonObjectWriter entry;
    entry.add("name", file.name).add("size", file.size).add("sha256", file.sha256);
    files += (files.empty() ? "" : ", ") + entry.text();
  }
  io::JsonObjectWriter object;
  object.add("format", kFormat)
      .add("step", manifest.step)
      .add("world_size", manifest.world_size)
      .add("config_sha256", manifest.identity.config)
      .add("data_sha256", manifest.identity.data)
      .add("model_sha256", manifest.identity.model)
      .add_json("files", "[" + files + "]");
  const std::string text = object.text();
  return text.substr(0, text.size() - 1);  // without the closing brace
}

// Checks the manifest's own hash and returns what it covers, as an object.
io::JsonValue parse_checked(const std::string& path) {
  const std::string text = io::read_file(path, 1 << 20);
  const std::size_t cut = text.rfind(kHashKey);
  if (cut == std::string::npos ||
      text.substr(cut) != kHashKey + io::to_json(io::sha256_hex(text.substr(0, cut))) + "}\n") {
    throw_bad_data(path, "is damaged: its content is not what its own hash says");
  }
  return io::parse_json(path, text);
}

void verify_file(const std::string& folder, const CheckpointFile& expected) {
  const CheckpointFile found = record_of(folder, expected.name);
  if (found.size != expected.size || found.sha256 != expected.sha256) {
    throw_bad_data(folder + "/" + expected.name,
                   "is damaged: its content is not what manifest.json says");
  }
}

void require_all_files(const std::string& path, const std::vector<CheckpointFile>& files) {
  for (const char* required : kRequired) {
    bool found = false;
    for (const CheckpointFile& file : files) {
      found = found || file.name == required;
    }
    if (!found) {
      throw_bad_data(path, std::string("names no file ") + required);
    }
  }
}

}  // namespace

CheckpointFile record_of(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  return {name, io::InputFile(path).size(), io::sha256_of_file(path)};
}

void write_manifest(const std::string& folder, const CheckpointManifest& manifest) {
  const std::string body = body_of(manifest);
  io::write_file_atomically(folder + kName,
                            body + kHashKey + io::to_json(io::sha256_hex(body)) + "}\n");
}

CheckpointManifest read_verified_manifest(const std::string& folder) {
  const std::string path = folder + kName;
  const io::JsonValue root = parse_checked(path);
  const ManifestReader reader(path);
  if (const std::int64_t format = reader.count(root, "format"); format != kFormat) {
    throw_bad_data(path, "format " + std::to_string(format) + " is not known to this version");
  }
  CheckpointManifest manifest;
  manifest.step = reader.count(root, "step");
  manifest.world_size = reader.count(root, "world_size");
  manifest.identity = {reader.string(root, "config_sha256"), reader.string(root, "data_sha256"),
                       reader.string(root, "model_sha256")};
  manifest.files = reader.files(root);
  require_all_files(path, manifest.files);
  for (const CheckpointFile& file : manifest.files) {
    verify_file(folder, file);
  }
  return manifest;
}

}  // namespace rallrec::train
