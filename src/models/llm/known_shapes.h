#pragma once

#include <optional>
#include <string>

#include "models/llm/llm_config.h"

namespace rallrec::models::llm {

// The architecture that a published model's folder of this name holds
// ("models/Llama-3.1-8B-Instruct" and the like; case and a suffix -Instruct do not matter), as its
// config.json states it, so that a run can be planned before the model is at hand. Nothing where
// the name is unknown.
std::optional<LlmConfig> known_shape(const std::string& folder);

// "Llama-3.1-8B, …".
std::string known_shape_names();

}  // namespace rallrec::models::llm
