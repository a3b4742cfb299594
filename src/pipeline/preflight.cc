#include "pipeline/preflight.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "io/files.h"
#include "io/safetensors.h"
#include "models/llm/llm_config.h"
#include "models/llm/quant_mode.h"
#include "pipeline/external_inputs.h"
#include "text/chat_template.h"
#include "text/shown_answers.h"
#include "text/tokenizer.h"

namespace rallrec::pipeline {
namespace {

bool runs(const std::vector<Stage>& stages, const std::string& name) {
  return std::any_of(stages.begin(), stages.end(),
                     [&name](const Stage& stage) { return stage.name == name; });
}

}  // namespace

void check_model_folder(const std::string& folder, ModelUse use, const std::string& quant) {
  require_model_folder(folder);
  if (use == ModelUse::kWeights) {
    models::llm::quant_mode_of(quant);
    models::llm::read_llm_config(folder);
    const io::SafetensorsFolder headers(folder);
  }
  text::Tokenizer::load(folder);
}

void check_external_inputs(const std::vector<Stage>& stages, const config::Options& options) {
  ModelUse use = ModelUse::kNone;
  for (const Stage& stage : stages) {
    if (stage.external_inputs != nullptr) {
      stage.external_inputs(options);
    }
    use = std::max(use, stage.model);
  }
  if (use != ModelUse::kNone) {
    check_model_folder(options.model.path, use, options.model.quant);
  }
  if (use == ModelUse::kWeights) {
    models::llm::quant_mode_of(options.embed.quant);
  }
  const bool shows = runs(stages, "tune") && options.tune.shown_answers;
  const bool scores = runs(stages, "infer");
  if (shows || scores) {
    const text::Tokenizer tokenizer = text::Tokenizer::load(options.model.path);
    if (shows) {
      const text::ShownAnswers unused(tokenizer);
    }
    if (scores) {
      text::label_words(tokenizer);
    }
  }
}

void check_run_inputs(const std::vector<Stage>& stages, const std::string& run_dir) {
  std::set<std::string> written;
  for (const Stage& stage : stages) {
    for (const std::string& input : stage.inputs) {
      if (written.count(input) == 0 && io::files_below(run_dir, input).empty()) {
        throw_missing(run_dir + "/" + input, "is read by stage " + stage.name +
                                                 " and written by stage " +
                                                 input.substr(0, input.rfind('/')) +
                                                 ", which is not among the stages of this run");
      }
    }
    written.insert(stage.outputs.begin(), stage.outputs.end());
  }
}

}  // namespace rallrec::pipeline
