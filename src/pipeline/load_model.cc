#include "pipeline/load_model.h"

namespace rallrec::pipeline {

std::unique_ptr<models::llm::CausalLm> load_model(const std::string& folder,
                                                  const std::string& quant,
                                                  const config::Options& options,
                                                  distributed::Communicator& communicator) {
  return models::llm::load_causal_lm(folder, quant,
                                     options.cluster.replicate_base ? nullptr : &communicator);
}

}  // namespace rallrec::pipeline
