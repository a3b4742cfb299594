#pragma once

#include <memory>
#include <string>

#include "config/options.h"
#include "distributed/communicator.h"
#include "models/llm/causal_lm.h"

namespace rallrec::pipeline {

// The model in `folder`, shared out over the ranks of `communicator`, which must outlive it, unless
// cluster.replicate_base says otherwise. `trace` as in load_causal_lm. Collective.
std::unique_ptr<models::llm::CausalLm> load_model(const std::string& folder,
                                                  const std::string& quant,
                                                  const config::Options& options,
                                                  distributed::Communicator& communicator,
                                                  models::llm::LayerTrace* trace = nullptr);

}  // namespace rallrec::pipeline
