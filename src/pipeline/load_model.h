#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/options.h"
#include "distributed/communicator.h"
#include "models/llm/causal_lm.h"
#include "models/llm/lora_adapter.h"

namespace rallrec::pipeline {

// The model in `folder`, shared out over the ranks of `communicator`, which must outlive it, unless
// cluster.replicate_base says otherwise; on cluster.device. `trace` as in load_causal_lm, CPU only.
// Collective.
std::unique_ptr<models::llm::CausalLm> load_model(const std::string& folder,
                                                  const std::string& quant,
                                                  const config::Options& options,
                                                  distributed::Communicator& communicator,
                                                  models::llm::LayerTrace* trace = nullptr);

// The adapter in `folder` for the model in `model`; none where `folder` is empty. Warns where its
// config names another base: one of the same shapes would do its work on the wrong weights.
std::optional<models::llm::LoraAdapter> load_adapter(const std::string& folder,
                                                     const std::string& model);

}  // namespace rallrec::pipeline
