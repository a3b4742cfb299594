#include "train/checkpoint.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/error.h"
#include "core/finite.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/hash.h"
#include "io/json_value.h"
#include "io/json_writer.h"
#include "io/safetensors.h"
#include "train/checkpoint_manifest.h"
#include "train/peft_adapter.h"

namespace rallrec::train {
namespace {

namespace fs = std::filesystem;
using models::llm::LoraAdapter;

constexpr const char* kPrefix = "step-";
constexpr const char* kTemporaryPrefix = ".tmp-";
constexpr const char* kStateName = "state.json";
constexpr const char* kOptimizerName = "optimizer.safetensors";
constexpr std::int64_t kFewestKept = 2;

std::string state_text(const TrainingState& state) {
  io::JsonObjectWriter text;
  text.add("step", state.step)
      .add("adam_steps", state.adam.steps())
      .add("skipped_in_a_row", state.skipped_in_a_row)
      .add("epochs_without_improvement", state.epochs_without_improvement);
  if (state.best) {
    text.add("best_loss", state.best->loss).add("best_step", state.best->step);
  }
  text.add("recent_losses", state.losses.values())
      .add("recent_grad_norms", state.grad_norms.values());
  return text.text() + "\n";
}

void write_optimizer(const std::string& path, const TrainingState& state) {
  std::vector<io::TensorToWrite> tensors;
  const auto add = [&](const char* name, const std::vector<float>& values) {
    io::TensorToWrite tensor;
    tensor.name = name;
    tensor.shape = {static_cast<std::int64_t>(values.size())};
    tensor.data = values.data();
    tensors.push_back(std::move(tensor));
  };
  add("first_moment", state.adam.first_moment());
  add("second_moment", state.adam.second_moment());
  if (state.best) {
    add("best_parameters", state.best->parameters);
  }
  io::write_safetensors(path, tensors);
}

std::vector<float> read_vector(const io::SafetensorsFile& file, const char* name,
                               std::int64_t size) {
  const io::TensorInfo& tensor = file.get(name);
  if (tensor.type != io::TensorType::kF32 || tensor.shape != std::vector<std::int64_t>{size}) {
    throw_bad_data(file.path(), fmt::format("tensor {} is {}, expected fp32 [{}]", name,
                                            tensor.shape_text(), size));
  }
  std::vector<float> values(static_cast<std::size_t>(size));
  file.read(tensor, values.data());
  return values;
}

// state.json, whose counts must be there and not negative.
class StateReader {
 public:
  explicit StateReader(const std::string& folder)
      : path_(folder + "/" + kStateName),
        root_(io::parse_json(path_, io::read_file(path_, 1 << 20))) {}

  std::int64_t count(const char* key) const {
    const io::JsonValue* value = root_.find(key);
    if (value == nullptr || value->integer() == nullptr || *value->integer() < 0) {
      throw_bad_data(path_, fmt::format("key '{}': expected a count", key));
    }
    return *value->integer();
  }

  bool has_best() const { return root_.find("best_loss") != nullptr; }

  double best_loss() const {
    double loss = 0.0;
    if (!root_.find("best_loss")->number(&loss)) {
      throw_bad_data(path_, "key 'best_loss': expected a number");
    }
    return loss;
  }

  // None where the key is missing: a checkpoint of a version that kept none.
  std::vector<double> numbers(const char* key) const {
    std::vector<double> numbers;
    const io::JsonValue* list = root_.find(key);
    if (list == nullptr) {
      return numbers;
    }
    if (list->array() == nullptr) {
      throw_bad_data(path_, fmt::format("key '{}': expected a list of numbers", key));
    }
    for (const io::JsonValue& item : *list->array()) {
      numbers.emplace_back();
      if (!item.number(&numbers.back())) {
        throw_bad_data(path_, fmt::format("key '{}': expected a list of numbers", key));
      }
    }
    return numbers;
  }

 private:
  std::string path_;
  io::JsonValue root_;
};

TrainingState read_state(const std::string& folder, std::int64_t parameters) {
  const StateReader reader(folder);
  const io::SafetensorsFile file(folder + "/" + kOptimizerName);
  TrainingState state;
  state.step = reader.count("step");
  state.skipped_in_a_row = reader.count("skipped_in_a_row");
  state.epochs_without_improvement = reader.count("epochs_without_improvement");
  state.adam = Adam(read_vector(file, "first_moment", parameters),
                    read_vector(file, "second_moment", parameters), reader.count("adam_steps"));
  if (reader.has_best()) {
    state.best = BestSoFar{reader.best_loss(), reader.count("best_step"),
                           read_vector(file, "best_parameters", parameters)};
  }
  state.losses = OutlierWatch(reader.numbers("recent_losses"));
  state.grad_norms = OutlierWatch(reader.numbers("recent_grad_norms"));
  return state;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// The step of a folder name "step-<n>"; -1 for other names.
std::int64_t step_of(const std::string& name) {
  const std::string prefix = kPrefix;
  const bool plain = name.rfind(prefix, 0) == 0 && name.size() > prefix.size() &&
                     name.size() < prefix.size() + 18 &&
                     name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
  return plain ? std::stoll(name.substr(prefix.size())) : -1;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

// No step leaves such a state behind, whatever the hashes say.
void require_sound(const std::string& folder, const CheckpointManifest& manifest,
                   const TrainingState& state) {
  if (state.step != manifest.step) {
    throw_bad_data(folder + "/" + kStateName,
                   fmt::format("key 'step': is {}, and manifest.json is of step {}", state.step,
                               manifest.step));
  }
  const auto finite = [](const std::vector<float>& values) {
    return all_finite(values.data(), values.size());
  };
  if (!finite(state.adam.first_moment()) || !finite(state.adam.second_moment()) ||
      (state.best && !finite(state.best->parameters))) {
    throw_bad_data(folder + "/" + kOptimizerName, "holds a value that is not finite");
  }
}

// A folder that was renamed would pass for a newer or an older one.
void require_own_name(const std::string& path, const CheckpointManifest& manifest) {
  if (manifest.step != step_of(io::name_of(path))) {
    throw_bad_data(path, fmt::format("holds the checkpoint of step {}; name it {}{}, or remove it",
                                     manifest.step, kPrefix, manifest.step));
  }
}

bool verifies(const std::string& path, std::string* problem) {
  try {
    require_own_name(path, read_verified_manifest(path));
    return true;
  } catch (const Error& error) {
    *problem = error.what();
    return false;
  }
}

// Puts the complete folder in the place of `target`; one of that name, left by an abandoned course
// of the run, gives way.
void publish(const std::string& temporary, const std::string& target) {
  const std::string old = temporary + "-old";
  std::error_code error;
  const bool replaces = fs::exists(target, error);
  if (replaces) {
    io::rename_folder(target, old);
  }
  fs::rename(temporary, target, error);
  if (error) {
    std::error_code ignored;
    if (replaces) {
      fs::rename(old, target, ignored);
    }
    throw_io(target, "rename", error.value());
  }
  io::sync_folder(io::folder_of(target));
}

// Reads the state back from disk as a resumed run would. The adapter's files have been.
void require_readable(const std::string& folder, const TrainingState& state) {
  const TrainingState stored = read_state(folder, state.adam.size());
  const bool same_best =
      state.best.has_value() == stored.best.has_value() &&
      (!state.best || same_bits(state.best->parameters, stored.best->parameters));
  if (state_text(stored) != state_text(state) || !same_best ||
      !same_bits(stored.adam.first_moment(), state.adam.first_moment()) ||
      !same_bits(stored.adam.second_moment(), state.adam.second_moment())) {
    throw_io(folder + "/" + kOptimizerName, "reading back what was written gave something else", 0);
  }
}

void remove_leftovers(const std::string& folder) {
  for (const std::string& name : names_in(folder)) {
    std::error_code ignored;
    if (name.rfind(kTemporaryPrefix, 0) == 0) {
      fs::remove_all(folder + "/" + name, ignored);
    }
  }
}

}  // namespace

std::string save_checkpoint(const std::string& folder, const LoraAdapter& adapter,
                            const TrainingState& state, const RunIdentity& identity,
                            const CheckpointOrigin& origin) {
  remove_leftovers(folder);
  const std::string step = std::to_string(state.step);
  const io::TemporaryFolder unfinished(folder + "/" + kTemporaryPrefix + step + "-" +
                                       std::to_string(::getpid()));
  const std::string& temporary = unfinished.path();
  CheckpointManifest manifest;
  manifest.step = state.step;
  manifest.world_size = origin.world_size;
  manifest.identity = identity;
  std::vector<std::string> names =
      write_peft_adapter(temporary, adapter, origin.layers, origin.base_model, false);
  write_optimizer(temporary + "/" + kOptimizerName, state);
  io::write_file_atomically(temporary + "/" + kStateName, state_text(state));
  names.insert(names.end(), {kOptimizerName, kStateName});
  require_readable(temporary, state);
  for (const std::string& name : names) {
    manifest.files.push_back(record_of(temporary, name));
  }
  write_manifest(temporary, manifest);
  const std::string path = folder + "/" + kPrefix + step;
  publish(temporary, path);
  return path;
}

TrainingState load_checkpoint(const std::string& path, const RunIdentity& identity,
                              const models::llm::LlmConfig& config, LoraAdapter& adapter) {
  const CheckpointManifest manifest = read_verified_manifest(path);
  require_same_identity(manifest.identity, identity, path);
  const LoraAdapter stored = read_peft_adapter(path, config);
  if (stored.options().r != adapter.options().r ||
      stored.flat().numel() != adapter.flat().numel()) {
    throw_bad_data(path, "its adapter is of another size than this run's");
  }
  TrainingState state = read_state(path, stored.flat().numel());
  require_sound(path, manifest, state);
  adapter.flat().copy_(stored.flat());
  return state;
}

void verify_checkpoint(const std::string& path) { read_verified_manifest(path); }

std::vector<std::string> list_checkpoints(const std::string& folder) {
  std::vector<std::int64_t> steps;
  for (const std::string& name : names_in(folder)) {
    if (step_of(name) >= 0) {
      steps.push_back(step_of(name));
    }
  }
  std::sort(steps.rbegin(), steps.rend());
  std::vector<std::string> paths;
  for (const std::int64_t step : steps) {
    paths.push_back(folder + "/" + kPrefix + std::to_string(step));
  }
  return paths;
}

std::string newest_checkpoint(const std::string& folder) {
  for (const std::string& path : list_checkpoints(folder)) {
    std::string problem;
    if (verifies(path, &problem)) {
      return path;
    }
    spdlog::warn("{}; the checkpoint before it is tried", problem);
  }
  return "";
}

void prune_checkpoints(const std::string& folder, std::int64_t keep) {
  std::int64_t kept = 0;
  for (const std::string& path : list_checkpoints(folder)) {
    std::string problem;
    if (kept < std::max(keep, kFewestKept)) {
      kept += verifies(path, &problem) ? 1 : 0;
      continue;
    }
    // Out of sight first: a step-<n> folder is complete also while it is being removed.
    std::error_code error;
    fs::rename(path, folder + "/" + kTemporaryPrefix + "pruned-" + io::name_of(path), error);
    if (error) {
      spdlog::warn("{}: cannot be removed: {}", path, error.message());
    }
  }
  remove_leftovers(folder);
}

}  // namespace rallrec::train
