#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/rng.h"
#include "io/atomic_file.h"
#include "io/safetensors.h"

namespace rallrec::testing {

// Shape of the model that write_tiny_model makes; its vocabulary covers the tiny tokenizer's.
struct TinyModelShape {
  std::int64_t hidden = 32;
  std::int64_t intermediate = 48;
  std::int64_t layers = 2;
  std::int64_t heads = 4;
  std::int64_t kv_heads = 2;
  std::int64_t head_dim = 8;
  std::int64_t vocabulary = 300;
  std::int64_t positions = 512;
};

// Collects tensors of random numbers and writes them at the end.
class RandomTensors {
 public:
  explicit RandomTensors(std::uint64_t seed) : rng_(seed) {}

  void add(const std::string& name, std::vector<std::int64_t> shape, double scale,
           double mean = 0) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) {
      count *= size;
    }
    values_.emplace_back();
    for (std::int64_t i = 0; i < count; ++i) {
      values_.back().push_back(static_cast<float>(mean + scale * rng_.next_normal()));
    }
    io::TensorToWrite tensor;
    tensor.name = name;
    tensor.shape = std::move(shape);
    tensors_.push_back(std::move(tensor));
  }

  void write(const std::string& path) {
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      tensors_[i].data = values_[i].data();
    }
    io::write_safetensors(path, tensors_, {{"format", "pt"}});
  }

 private:
  Rng rng_;
  std::vector<std::vector<float>> values_;
  std::vector<io::TensorToWrite> tensors_;
};

inline std::string tiny_config_text(const TinyModelShape& shape) {
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  return "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"hidden_act\": "
         "\"silu\", \"hidden_size\": " +
         number(shape.hidden) + ", \"intermediate_size\": " + number(shape.intermediate) +
         ", \"num_hidden_layers\": " + number(shape.layers) +
         ", \"num_attention_heads\": " + number(shape.heads) +
         ", \"num_key_value_heads\": " + number(shape.kv_heads) +
         ", \"head_dim\": " + number(shape.head_dim) +
         ", \"vocab_size\": " + number(shape.vocabulary) +
         ", \"max_position_embeddings\": " + number(shape.positions) +
         ", \"rms_norm_eps\": 1e-05, \"rope_theta\": 10000.0, \"tie_word_embeddings\": true, "
         "\"torch_dtype\": \"float32\"}\n";
}

// A Hugging Face folder of a Llama-shaped model with random weights (from `seed`) and the tiny
// ChatML tokenizer of tests/fixtures.
inline void write_tiny_model(const std::string& folder, std::uint64_t seed = 1,
                             const TinyModelShape& shape = {}) {
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(
      std::string(RALLREC_SOURCE_DIR) + "/tests/fixtures/tiny_tokenizer/tokenizer.json",
      folder + "/tokenizer.json", std::filesystem::copy_options::overwrite_existing);
  io::write_file_atomically(folder + "/config.json", tiny_config_text(shape));
  RandomTensors tensors(seed);
  tensors.add("model.embed_tokens.weight", {shape.vocabulary, shape.hidden}, 0.5);
  tensors.add("model.norm.weight", {shape.hidden}, 0.1, 1.0);
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const std::string at = "model.layers." + std::to_string(layer) + ".";
    const std::int64_t query = shape.heads * shape.head_dim;
    const std::int64_t key = shape.kv_heads * shape.head_dim;
    tensors.add(at + "input_layernorm.weight", {shape.hidden}, 0.1, 1.0);
    tensors.add(at + "post_attention_layernorm.weight", {shape.hidden}, 0.1, 1.0);
    tensors.add(at + "self_attn.q_proj.weight", {query, shape.hidden}, 0.2);
    tensors.add(at + "self_attn.k_proj.weight", {key, shape.hidden}, 0.2);
    tensors.add(at + "self_attn.v_proj.weight", {key, shape.hidden}, 0.2);
    tensors.add(at + "self_attn.o_proj.weight", {shape.hidden, query}, 0.2);
    tensors.add(at + "mlp.gate_proj.weight", {shape.intermediate, shape.hidden}, 0.2);
    tensors.add(at + "mlp.up_proj.weight", {shape.intermediate, shape.hidden}, 0.2);
    tensors.add(at + "mlp.down_proj.weight", {shape.hidden, shape.intermediate}, 0.2);
  }
  tensors.write(folder + "/model.safetensors");
}

}  // namespace rallrec::testing
