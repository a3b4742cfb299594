#include "pipeline/load_model.h"

namespace rallrec::pipeline {

std::unique_ptr<models::llm::CausalLm> load_model(const std::string& folder,
                                                  const std::string& quant,
                                                  const config::Options& options,
                                                  distributed::Communicator& communicator,
                                                  models::llm::LayerTrace* trace) {
  return models::llm::load_causal_lm(folder, quant,
                                     options.cluster.replicate_base ? nullptr : &communicator,
                                     trace, {options.model.cache, communicator.rank() == 0});
}

}  // namespace rallrec::pipeline
