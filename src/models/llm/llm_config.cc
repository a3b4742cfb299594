#include "models/llm/llm_config.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/files.h"
#include "io/json_value.h"

namespace rallrec::models::llm {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kConfigFileLimit = std::uint64_t{1} << 20;

// Typed access to config.json. The library converts -1, 1.5 and true to integers without a word, so
// every value's kind is looked at first.
class ConfigReader {
 public:
  ConfigReader(std::string path, const Json& object, std::string prefix = "")
      : path_(std::move(path)), object_(object), prefix_(std::move(prefix)) {}

  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  [[noreturn]] void fail(const char* key, const std::string& expected) const {
    throw_bad_data(path_, "key " + prefix_ + key + ": expected " + expected);
  }

  std::int64_t size(const char* key, std::int64_t largest) const {
    const Json* value = find(key);
    const std::string expected = "a whole number from 1 to " + std::to_string(largest);
    if (value == nullptr || !value->is_number_unsigned()) {
      fail(key, expected);
    }
    const auto number = value->get<std::uint64_t>();
    if (number == 0 || number > static_cast<std::uint64_t>(largest)) {
      fail(key, expected);
    }
    return static_cast<std::int64_t>(number);
  }

  std::int64_t size_or(const char* key, std::int64_t largest, std::int64_t otherwise) const {
    return find(key) == nullptr ? otherwise : size(key, largest);
  }

  double positive(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr || !value->is_number() || !(value->get<double>() > 0.0) ||
        !std::isfinite(value->get<double>())) {
      fail(key, "a number above 0");
    }
    return value->get<double>();
  }

  double positive_or(const char* key, double otherwise) const {
    return find(key) == nullptr ? otherwise : positive(key);
  }

  bool flag_or(const char* key, bool otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) {
      return otherwise;
    }
    if (!value->is_boolean()) {
      fail(key, "true or false");
    }
    return value->get<bool>();
  }

  std::string text_or(const char* key, const std::string& otherwise) const {
    const Json* value = find(key);
    if (value == nullptr) {
      return otherwise;
    }
    if (!value->is_string()) {
      fail(key, "a string");
    }
    return value->get<std::string>();
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  const Json& object_;
  std::string prefix_;
};

Json parse_object(const std::string& path, const std::string& text) {
  // The strict parser: it refuses a repeated key and names the place of what it refuses.
  io::parse_json(path, text);
  Json json = Json::parse(text);
  if (!json.is_object()) {
    throw_bad_data(path, "expected a JSON object");
  }
  return json;
}

void check_architecture(const ConfigReader& reader) {
  const std::string type = reader.text_or("model_type", "");
  std::string architecture;
  if (const Json* list = reader.find("architectures")) {
    if (!list->is_array() || list->empty() || !list->front().is_string()) {
      reader.fail("architectures", "a list with one name");
    }
    architecture = list->front().get<std::string>();
  }
  const bool llama = architecture.empty() ? type == "llama" : architecture == "LlamaForCausalLM";
  if (!llama || (!type.empty() && type != "llama")) {
    throw_bad_data(reader.path(), "architecture " + (architecture.empty() ? type : architecture) +
                                      " (model_type '" + type +
                                      "') is not supported: expected LlamaForCausalLM");
  }
  if (reader.flag_or("attention_bias", false) || reader.flag_or("mlp_bias", false)) {
    throw_bad_data(reader.path(), "attention_bias and mlp_bias are not supported");
  }
  if (reader.text_or("hidden_act", "silu") != "silu") {
    reader.fail("hidden_act", "silu");
  }
}

RopeScaling read_llama3_scaling(const ConfigReader& reader) {
  RopeScaling scaling;
  scaling.factor = reader.positive("factor");
  scaling.low_freq_factor = reader.positive("low_freq_factor");
  scaling.high_freq_factor = reader.positive("high_freq_factor");
  scaling.original_max_position =
      reader.size("original_max_position_embeddings", std::int64_t{1} << 31);
  if (!(scaling.high_freq_factor > scaling.low_freq_factor)) {
    reader.fail("high_freq_factor", "more than low_freq_factor");
  }
  return scaling;
}

// `key` is rope_scaling (older files) or rope_parameters, which also holds rope_theta.
void read_rope_object(const ConfigReader& reader, const char* key, LlmConfig& config) {
  const Json* object = reader.find(key);
  if (object == nullptr) {
    return;
  }
  if (!object->is_object()) {
    reader.fail(key, "an object or null");
  }
  const ConfigReader rope(reader.path(), *object, std::string(key) + ".");
  config.rope_theta = rope.positive_or("rope_theta", config.rope_theta);
  const std::string type = rope.text_or("rope_type", rope.text_or("type", "default"));
  if (type == "llama3") {
    config.rope_scaling = read_llama3_scaling(rope);
  } else if (type != "default") {
    rope.fail("rope_type", "default or llama3, found '" + type + "'");
  }
}

void read_sizes(const ConfigReader& reader, LlmConfig& config) {
  config.hidden_size = reader.size("hidden_size", 65536);
  config.intermediate_size = reader.size("intermediate_size", 1 << 20);
  config.layers = reader.size("num_hidden_layers", 1024);
  config.heads = reader.size("num_attention_heads", 4096);
  config.kv_heads = reader.size_or("num_key_value_heads", 4096, config.heads);
  config.vocab_size = reader.size("vocab_size", 2'000'000);
  config.max_position = reader.size_or("max_position_embeddings", std::int64_t{1} << 31, 2048);
  if (reader.find("head_dim") != nullptr) {
    config.head_dim = reader.size("head_dim", 4096);
  } else if (config.hidden_size % config.heads == 0) {
    config.head_dim = config.hidden_size / config.heads;
  } else {
    reader.fail("num_attention_heads", "a divisor of hidden_size, or a head_dim");
  }
  if (config.heads % config.kv_heads != 0) {
    reader.fail("num_key_value_heads", "a divisor of num_attention_heads");
  }
  if (config.head_dim % 2 != 0) {
    reader.fail("head_dim", "an even number");
  }
}

}  // namespace

LlmConfig read_llm_config(const std::string& folder) {
  if (!io::is_folder(folder)) {
    throw_missing(folder, "the model folder does not exist");
  }
  const std::string path = folder + "/config.json";
  const Json json = parse_object(path, io::read_file(path, kConfigFileLimit));
  const ConfigReader reader(path, json);
  check_architecture(reader);
  LlmConfig config;
  read_sizes(reader, config);
  config.rms_norm_eps = reader.positive_or("rms_norm_eps", 1e-6);
  config.rope_theta = reader.positive_or("rope_theta", 10000.0);
  config.tied_embeddings = reader.flag_or("tie_word_embeddings", false);
  read_rope_object(reader, "rope_scaling", config);
  read_rope_object(reader, "rope_parameters", config);
  return config;
}

}  // namespace rallrec::models::llm
