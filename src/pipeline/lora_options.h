#pragma once

#include "config/options.h"
#include "models/llm/lora_adapter.h"

namespace rallrec::pipeline {

// The adapter that the section [tune] describes.
inline models::llm::LoraOptions lora_options(const config::TuneOptions& tune) {
  return {tune.lora_r, tune.lora_alpha, tune.lora_dropout, tune.target_modules};
}

}  // namespace rallrec::pipeline
