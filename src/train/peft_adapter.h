#pragma once

#include <string>
#include <vector>

#include "models/llm/causal_lm.h"
#include "train/peft_config.h"

namespace rallrec::train {

// "base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight"
std::string peft_key(std::int64_t layer, const std::string& module, char matrix);

// Writes adapter_config.json, adapter_model.safetensors and README.md into an existing folder,
// opens them again and compares every tensor with `adapter`. Returns the names of the files. With
// `expect_trained` an adapter whose B are all zero is refused (kInternal).
std::vector<std::string> write_peft_adapter(const std::string& folder,
                                            const models::llm::LoraAdapter& adapter,
                                            std::int64_t layers, const std::string& base_model,
                                            bool expect_trained);

// The same under a temporary folder name beside `folder`, which then takes the place of `folder`: a
// reader never sees a part of an adapter, though between two renames there may be none.
void publish_peft_adapter(const std::string& folder, const models::llm::LoraAdapter& adapter,
                          std::int64_t layers, const std::string& base_model, bool expect_trained);

// Reads an adapter for a model of this architecture. Tensors may be stored as fp32, bf16 or fp16.
// kBadData naming the tensor where one is missing, unknown or of another shape than `config`
// implies (the message names the base model the adapter was made for); kMissingInput where a file
// is.
models::llm::LoraAdapter read_peft_adapter(const std::string& folder,
                                           const models::llm::LlmConfig& config);

}  // namespace rallrec::train
