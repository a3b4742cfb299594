#include <gtest/gtest.h>

#include <map>

#include "io/files.h"
#include "models/llm/llm_config.h"
#include "tests/support/malformed.h"

namespace rallrec::models::llm {
namespace {

using rallrec::testing::expect_refused;
using rallrec::testing::Malformed;

// A good config.json with this key's value, in JSON, replaced or added; left out where it is empty.
std::string with(const std::string& key, const std::string& value) {
  std::map<std::string, std::string> keys = {{"architectures", "[\"LlamaForCausalLM\"]"},
                                             {"hidden_size", "96"},
                                             {"intermediate_size", "200"},
                                             {"max_position_embeddings", "4096"},
                                             {"model_type", "\"llama\""},
                                             {"num_attention_heads", "6"},
                                             {"num_hidden_layers", "4"},
                                             {"num_key_value_heads", "2"},
                                             {"vocab_size", "1000"}};
  keys[key] = value;
  std::string text;
  for (const auto& [name, json] : keys) {
    if (!json.empty()) {
      text += (text.empty() ? "{\n  \"" : ",\n  \"") + name + "\": " + json;
    }
  }
  return text + "\n}\n";
}

std::vector<Malformed> text_cases() {
  const std::string good = with("vocab_size", "1000");
  return {
      {"empty", "", ":1:1: the JSON text ends too early"},
      {"cut off", good.substr(0, good.size() - 3), "the JSON text ends too early"},
      {"a web page", "<!DOCTYPE html>", ":1:1: not valid JSON near '<'"},
      {"unquoted word", "{\n\"a\": 1,\n\"b\": x}", ":3:6: not valid JSON near"},
      {"True of Python", with("tie_word_embeddings", "True"), ":10:26: not valid JSON near"},
      {"infinity", with("rope_theta", "Infinity"), ": not valid JSON near"},
      {"above a double", with("rope_theta", "1e999"), ": not valid JSON"},
      {"key twice", with("vocab_size", "1000,\n  \"hidden_size\": 64"),
       "'hidden_size' appears twice"},
      {"Latin-1", with("model_type", "\"llam\xE9\""), ": not valid UTF-8"},
      {"an array", "[1]", "expected a JSON object"},
  };
}

std::vector<Malformed> size_cases() {
  const std::string hidden = "key hidden_size: expected a whole number from 1 to 65536";
  return {
      {"negative size", with("hidden_size", "-1"), hidden},
      {"no size", with("hidden_size", "0"), hidden},
      {"fraction", with("hidden_size", "1.5"), hidden},
      {"true for a size", with("hidden_size", "true"), hidden},
      {"text for a size", with("hidden_size", "\"96\""), hidden},
      {"exponent", with("hidden_size", "1e3"), hidden},
      {"huge size", with("hidden_size", "65537"), hidden},
      {"null for a size", with("hidden_size", "null"), hidden},
      {"size missing", with("hidden_size", ""), hidden},
      {"too many layers", with("num_hidden_layers", "1025"),
       "key num_hidden_layers: expected a whole"},
      {"huge vocabulary", with("vocab_size", "2000001"), "key vocab_size: expected a whole number"},
      {"heads that leave a rest", with("num_attention_heads", "7"),
       "a divisor of hidden_size, or a"},
      {"groups that leave a rest", with("num_key_value_heads", "4"),
       "a divisor of num_attention_heads"},
      {"odd heads", with("head_dim", "15"), "key head_dim: expected an even number"},
      {"no positions", with("max_position_embeddings", "0"),
       "key max_position_embeddings: expected"},
  };
}

std::vector<Malformed> kind_cases() {
  const std::string llama3 =
      "{\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 4.0, "
      "\"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 8192}";
  return {
      {"negative epsilon", with("rms_norm_eps", "-1.0"),
       "key rms_norm_eps: expected a number above 0"},
      {"theta of zero", with("rope_theta", "0"), "key rope_theta: expected a number above 0"},
      {"number for a flag", with("tie_word_embeddings", "1"),
       "key tie_word_embeddings: expected true"},
      {"other activation", with("hidden_act", "\"gelu\""), "key hidden_act: expected silu"},
      {"biases", with("attention_bias", "true"), "attention_bias and mlp_bias are not supported"},
      {"other model", with("architectures", "[\"MistralForCausalLM\"]"),
       "architecture MistralForCausalLM (model_type 'llama') is not supported"},
      {"architecture is a text", with("architectures", "\"LlamaForCausalLM\""),
       "a list with one name"},
      {"scaling is a text", with("rope_scaling", "\"llama3\""),
       "rope_scaling: expected an object or"},
      {"unknown scaling", with("rope_scaling", "{\"rope_type\": \"yarn\"}"),
       "key rope_scaling.rope_type: expected default or llama3, found 'yarn'"},
      {"scaling without a factor", with("rope_scaling", "{\"rope_type\": \"llama3\"}"),
       "key rope_scaling.factor: expected a number above 0"},
      {"frequencies that meet", with("rope_scaling", llama3), "expected more than low_freq_factor"},
  };
}

void read(const std::string& path) { read_llm_config(io::folder_of(path)); }

TEST(ModelConfigMalformed, Texts) { expect_refused("config.json", text_cases(), 10, read); }
TEST(ModelConfigMalformed, Sizes) { expect_refused("config.json", size_cases(), 15, read); }
TEST(ModelConfigMalformed, Kinds) { expect_refused("config.json", kind_cases(), 11, read); }

}  // namespace
}  // namespace rallrec::models::llm
