#include "models/llm/known_shapes.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "config/did_you_mean.h"
#include "io/files.h"

namespace rallrec::models::llm {
namespace {

struct Shape {
  const char* name;
  std::int64_t hidden;
  std::int64_t intermediate;
  std::int64_t layers;
  std::int64_t heads;
  std::int64_t kv_heads;
  std::int64_t head_dim;
  std::int64_t vocabulary;
  std::int64_t max_position;
  double rope_theta;
  double rope_factor;
  bool tied;
};

// As the models' own config.json say on the Hugging Face hub.
constexpr Shape kShapes[] = {
    {"Llama-3.1-8B", 4096, 14336, 32, 32, 8, 128, 128256, 131072, 5e5, 8.0, false},
    {"Llama-3.1-70B", 8192, 28672, 80, 64, 8, 128, 128256, 131072, 5e5, 8.0, false},
    {"Llama-3.2-1B", 2048, 8192, 16, 32, 8, 64, 128256, 131072, 5e5, 32.0, true},
    {"Llama-3.2-3B", 3072, 8192, 28, 24, 8, 128, 128256, 131072, 5e5, 32.0, true},
    {"SmolLM2-135M", 576, 1536, 30, 9, 3, 64, 49152, 8192, 1e5, 1.0, true},
    {"SmolLM2-360M", 960, 2560, 32, 15, 5, 64, 49152, 8192, 1e5, 1.0, true},
    {"SmolLM2-1.7B", 2048, 8192, 24, 32, 32, 64, 49152, 8192, 1.3e5, 1.0, true}};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

std::string without_suffix(const std::string& text, const std::string& suffix) {
  const bool has = text.size() > suffix.size() &&
                   text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
  return has ? text.substr(0, text.size() - suffix.size()) : text;
}

LlmConfig config_of(const Shape& shape) {
  LlmConfig config;
  config.hidden_size = shape.hidden;
  config.intermediate_size = shape.intermediate;
  config.layers = shape.layers;
  config.heads = shape.heads;
  config.kv_heads = shape.kv_heads;
  config.head_dim = shape.head_dim;
  config.vocab_size = shape.vocabulary;
  config.max_position = shape.max_position;
  config.rope_theta = shape.rope_theta;
  config.rope_scaling.factor = shape.rope_factor;
  config.tied_embeddings = shape.tied;
  return config;
}

}  // namespace

std::optional<LlmConfig> known_shape(const std::string& folder) {
  const std::string path = without_suffix(folder, "/");
  const std::string name = without_suffix(lower(io::name_of(path)), "-instruct");
  for (const Shape& shape : kShapes) {
    if (name == lower(shape.name)) {
      return config_of(shape);
    }
  }
  return std::nullopt;
}

std::string known_shape_names() {
  std::vector<std::string> names;
  for (const Shape& shape : kShapes) {
    names.emplace_back(shape.name);
  }
  return config::joined(names);
}

}  // namespace rallrec::models::llm
