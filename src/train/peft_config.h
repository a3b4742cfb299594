#pragma once

#include <string>

#include "models/llm/causal_lm.h"

namespace rallrec::train {

// adapter_config.json as PEFT (github.com/huggingface/peft) writes and reads it.
struct PeftConfig {
  models::llm::LoraOptions lora;
  std::string base_model;  // base_model_name_or_path; empty where the file names none
};

// Text of adapter_config.json: keys sorted, indented by 2, only keys that PEFT has had for long.
std::string peft_config_text(const PeftConfig& config);

// Reads <folder>/adapter_config.json. Keys that change nothing here are ignored. Refused by name
// (kBadData): a peft_type other than LORA, DoRA, rank-stabilised scaling, biases, patterns of ranks
// or alphas, fully trained modules, adapters on some layers only. Missing: kMissingInput.
PeftConfig read_peft_config(const std::string& folder);

}  // namespace rallrec::train
