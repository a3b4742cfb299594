#include "train/peft_config.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/files.h"
#include "io/json_value.h"
#include "io/json_writer.h"
#include "models/llm/linear_names.h"

namespace rallrec::train {
namespace {

// The release that the layout was checked against.
constexpr const char* kPeftVersion = "0.21.2";

std::string number_text(double value) {
  const bool whole = value == std::floor(value) && std::fabs(value) < 1e15;
  return whole ? io::to_json(static_cast<std::int64_t>(value)) : io::to_json(value);
}

std::string list_text(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  std::string text;
  for (const std::string& item : items) {
    text += (text.empty() ? "\n    " : ",\n    ") + io::to_json(item);
  }
  return "[" + text + "\n  ]";
}

// One config file under inspection.
class ConfigReader {
 public:
  explicit ConfigReader(const std::string& path)
      : path_(path), root_(io::parse_json(path, io::read_file(path, 16 << 20))) {
    if (root_.object() == nullptr) {
      throw_bad_data(path, "expected a JSON object");
    }
  }

  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    throw_bad_data(path_, fmt::format("key '{}': {}", key, message));
  }

  const io::JsonValue* find(const char* key) const {
    const io::JsonValue* value = root_.find(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  std::string string(const char* key, const char* missing) const {
    const io::JsonValue* value = find(key);
    if (value == nullptr) {
      return missing;
    }
    if (value->string() == nullptr) {
      fail(key, fmt::format("expected a string, found {}", value->kind()));
    }
    return *value->string();
  }

  double number(const char* key, double missing) const {
    const io::JsonValue* value = find(key);
    double result = missing;
    if (value != nullptr && !value->number(&result)) {
      fail(key, fmt::format("expected a number, found {}", value->kind()));
    }
    return result;
  }

  // Refuses the key unless it is absent, null, false or empty.
  void refuse(const char* key, const char* why) const {
    const io::JsonValue* value = find(key);
    const bool off = value == nullptr || (value->boolean() != nullptr && !*value->boolean()) ||
                     (value->array() != nullptr && value->array()->empty()) ||
                     (value->object() != nullptr && value->object()->empty());
    if (!off) {
      fail(key, fmt::format("{} is not supported", why));
    }
  }

 private:
  std::string path_;
  io::JsonValue root_;
};

// Initialisations that take a part out of the base weights, or quantise them.
bool changes_the_base(const std::string& initialisation) {
  for (const char* method : {"pissa", "olora", "corda", "loftq", "lora_ga"}) {
    if (initialisation.rfind(method, 0) == 0) {
      return true;
    }
  }
  return false;
}

void refuse_other_methods(const ConfigReader& reader) {
  if (reader.string("peft_type", "") != "LORA") {
    reader.fail("peft_type", "expected \"LORA\"");
  }
  if (const std::string bias = reader.string("bias", "none"); bias != "none") {
    reader.fail("bias", fmt::format("\"{}\" is not supported, only \"none\"", bias));
  }
  const io::JsonValue* start = reader.find("init_lora_weights");
  if (start != nullptr && start->string() != nullptr && changes_the_base(*start->string())) {
    reader.fail("init_lora_weights", "\"" + *start->string() +
                                         "\" is not supported: such an adapter belongs to base "
                                         "weights that its training changed");
  }
  reader.refuse("use_dora", "DoRA");
  reader.refuse("use_rslora", "rank-stabilised scaling");
  reader.refuse("lora_bias", "a bias on B");
  reader.refuse("rank_pattern", "a rank per module");
  reader.refuse("alpha_pattern", "an alpha per module");
  reader.refuse("modules_to_save", "an adapter with fully trained modules");
  reader.refuse("layers_to_transform", "an adapter on some layers only");
  reader.refuse("layer_replication", "layer replication");
  reader.refuse("exclude_modules", "leaving modules out");
  reader.refuse("trainable_token_indices", "training token embeddings");
  reader.refuse("target_parameters", "an adapter on single parameters");
  reader.refuse("alora_invocation_tokens", "an adapter that certain tokens switch on");
  reader.refuse("use_qalora", "pooling of the input");
  reader.refuse("use_bdlora", "block-diagonal matrices");
  reader.refuse("kasa_config", "a base without its smallest singular values");
}

// The names in the order of the layer's linears, so that one set of names is one layout.
std::vector<std::string> read_modules(const ConfigReader& reader) {
  const io::JsonValue* value = reader.find("target_modules");
  if (value == nullptr || value->array() == nullptr || value->array()->empty()) {
    reader.fail("target_modules", "expected a list of module names such as \"q_proj\"");
  }
  std::vector<std::string> named;
  for (const io::JsonValue& item : *value->array()) {
    if (item.string() == nullptr) {
      reader.fail("target_modules", fmt::format("expected strings, found {}", item.kind()));
    }
    named.push_back(*item.string());
  }
  std::vector<std::string> modules;
  for (const models::llm::Linear linear : models::llm::kLinears) {
    const auto found = std::find(named.begin(), named.end(), models::llm::name_of(linear));
    if (found != named.end()) {
      modules.push_back(*found);
      named.erase(found);
    }
  }
  if (!named.empty()) {
    reader.fail("target_modules", "'" + named.front() +
                                      "' is no linear layer of a Llama decoder, "
                                      "or is named twice");
  }
  return modules;
}

}  // namespace

std::string peft_config_text(const PeftConfig& config) {
  const models::llm::LoraOptions& lora = config.lora;
  const std::vector<std::pair<const char*, std::string>> keys = {
      {"alpha_pattern", "{}"},
      {"base_model_name_or_path", io::to_json(config.base_model)},
      {"bias", "\"none\""},
      {"fan_in_fan_out", "false"},
      {"inference_mode", "true"},
      {"init_lora_weights", "true"},
      {"lora_alpha", number_text(lora.alpha)},
      {"lora_dropout", io::to_json(lora.dropout)},
      {"modules_to_save", "null"},
      {"peft_type", "\"LORA\""},
      {"peft_version", io::to_json(std::string_view(kPeftVersion))},
      {"r", number_text(static_cast<double>(lora.r))},
      {"rank_pattern", "{}"},
      {"revision", "null"},
      {"target_modules", list_text(lora.modules)},
      {"task_type", "\"CAUSAL_LM\""},
      {"use_dora", "false"},
      {"use_rslora", "false"}};
  std::string text;
  for (const auto& [key, value] : keys) {
    text += (text.empty() ? "{\n  \"" : ",\n  \"") + std::string(key) + "\": " + value;
  }
  return text + "\n}\n";
}

PeftConfig read_peft_config(const std::string& folder) {
  const std::string path = folder + "/adapter_config.json";
  if (!io::file_exists(path)) {
    throw_missing(path,
                  "not found; an adapter folder holds adapter_config.json and "
                  "adapter_model.safetensors");
  }
  const ConfigReader reader(path);
  refuse_other_methods(reader);
  PeftConfig config;
  config.base_model = reader.string("base_model_name_or_path", "");
  const double r = reader.number("r", 8);
  if (!(r >= 1 && r <= 65536 && r == std::floor(r))) {
    reader.fail("r", "expected an integer from 1 to 65536");
  }
  config.lora.r = static_cast<std::int64_t>(r);
  config.lora.alpha = reader.number("lora_alpha", 8);
  if (!(config.lora.alpha > 0.0 && std::isfinite(config.lora.alpha))) {
    reader.fail("lora_alpha", "expected a number above 0");
  }
  config.lora.dropout = reader.number("lora_dropout", 0.0);
  if (!(config.lora.dropout >= 0.0 && config.lora.dropout < 1.0)) {
    reader.fail("lora_dropout", "expected a number of at least 0 and below 1");
  }
  config.lora.modules = read_modules(reader);
  return config;
}

}  // namespace rallrec::train
