#include "train/tune_state.h"

#include <spdlog/fmt/fmt.h>

#include <filesystem>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/hash.h"
#include "io/json_value.h"
#include "io/json_writer.h"

namespace rallrec::train {
namespace {

constexpr const char* kName = "/tune_state.json";
constexpr const char* kAdapterName = "/adapter/adapter_model.safetensors";

[[noreturn]] void refuse(const std::string& path, const char* key, const char* expected) {
  throw_bad_data(
      path, fmt::format("key '{}': expected {}; start anew with --resume never", key, expected));
}

const io::JsonValue& member(const io::JsonValue& root, const char* key, const std::string& path) {
  const io::JsonValue* value = root.find(key);
  if (value == nullptr) {
    throw_bad_data(path, fmt::format("key '{}' is missing; start anew with --resume never", key));
  }
  return *value;
}

std::string text_of(const io::JsonValue& root, const char* key, const std::string& path) {
  const io::JsonValue& value = member(root, key, path);
  if (value.string() == nullptr) {
    refuse(path, key, "a string");
  }
  return *value.string();
}

io::JsonValue parsed(const std::string& path) {
  try {
    return io::parse_json(path, io::read_file(path, 1 << 20));
  } catch (const Error& error) {
    throw Error(
        error.code(),
        fmt::format("{}; remove the file to go on from the newest checkpoint, or start anew "
                    "with --resume never",
                    error.what()));
  }
}

// Folders of earlier versions do not tell them.
std::string options_of(const io::JsonValue& root, const std::string& path) {
  const io::JsonValue* options = root.find("options");
  if (options == nullptr || options->is_null()) {
    return "";
  }
  if (options->object() == nullptr) {
    refuse(path, "options", "an object");
  }
  return io::to_json(*options);
}

}  // namespace

std::optional<TuneState> read_tune_state(const std::string& folder) {
  const std::string path = folder + kName;
  if (!io::file_exists(path)) {
    return std::nullopt;
  }
  const io::JsonValue root = parsed(path);
  TuneState state;
  state.identity = {text_of(root, "config_sha256", path), text_of(root, "data_sha256", path),
                    text_of(root, "model_sha256", path), options_of(root, path)};
  const bool* finished = member(root, "finished", path).boolean();
  const std::int64_t* steps = member(root, "steps", path).integer();
  if (finished == nullptr) {
    refuse(path, "finished", "true or false");
  }
  if (steps == nullptr || *steps < 0) {
    refuse(path, "steps", "a count");
  }
  state.finished = *finished;
  state.steps = *steps;
  state.adapter_sha256 = text_of(root, "adapter_sha256", path);
  return state;
}

void write_tune_state(const std::string& folder, const TuneState& state) {
  io::JsonObjectWriter text;
  text.add("config_sha256", state.identity.config)
      .add("data_sha256", state.identity.data)
      .add("model_sha256", state.identity.model)
      .add_json("options", state.identity.options.empty() ? "null" : state.identity.options)
      .add("finished", state.finished)
      .add("steps", state.steps)
      .add("adapter_sha256", state.adapter_sha256);
  io::write_file_atomically(folder + kName, text.text() + "\n");
}

bool is_finished(const std::string& folder, const TuneState& state) {
  const std::string adapter = folder + kAdapterName;
  return state.finished && io::file_exists(adapter) &&
         io::sha256_of_file(adapter) == state.adapter_sha256;
}

void clear_tune_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (const char* name :
       {"tune_state.json", "checkpoints", "adapter", "metrics.jsonl", "trainer_state.json"}) {
    fs::remove_all(fs::path(folder) / name, error);
    if (error) {
      throw_io(folder + "/" + name, "remove", error.value());
    }
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().rfind("events.out.tfevents.", 0) == 0) {
      fs::remove(entry.path(), error);
    }
  }
}

}  // namespace rallrec::train
