#include "pipeline/load_model.h"

#include <spdlog/spdlog.h>

#include <filesystem>

#include "core/error.h"
#include "distributed/flight_marks.h"
#include "distributed/place.h"
#include "models/llm/llm_config.h"
#include "train/peft_adapter.h"
#include "train/peft_config.h"

namespace rallrec::pipeline {
namespace {

// "runs/a/model/" and "org/model" are both "model": people move folders about.
std::string last_name(const std::string& model) {
  const std::filesystem::path path = std::filesystem::path(model).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

}  // namespace

std::unique_ptr<models::llm::CausalLm> load_model(const std::string& folder,
                                                  const std::string& quant,
                                                  const config::Options& options,
                                                  distributed::Communicator& communicator,
                                                  models::llm::LayerTrace* trace) {
  const distributed::PhaseScope scope(distributed::Phase::kLoad);
  if (config::device_of(options.cluster) == Device::kCuda) {
    if (trace != nullptr) {
      throw_usage("--trace shows what the host waits for, which with --device cuda is nothing; " +
                  std::string("leave it out, or look at the ranges of NVTX in a profiler"));
    }
    return models::llm::load_causal_lm_on_device(
        folder, quant,
        distributed::make_place({options.cluster.device, options.cluster.nccl_init}, communicator),
        !options.cluster.replicate_base, {options.model.cache, communicator.rank() == 0});
  }
  return models::llm::load_causal_lm(folder, quant,
                                     options.cluster.replicate_base ? nullptr : &communicator,
                                     trace, {options.model.cache, communicator.rank() == 0});
}

std::optional<models::llm::LoraAdapter> load_adapter(const std::string& folder,
                                                     const std::string& model) {
  if (folder.empty()) {
    return std::nullopt;
  }
  const std::string base = train::read_peft_config(folder).base_model;
  if (!base.empty() && last_name(base) != last_name(model)) {
    spdlog::warn(
        "{}/adapter_config.json: this adapter was tuned on '{}'; on '{}' its scores mean something "
        "only where the weights are the same",
        folder, base, model);
  }
  return train::read_peft_adapter(folder, models::llm::read_llm_config(model));
}

}  // namespace rallrec::pipeline
