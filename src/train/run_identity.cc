#include "train/run_identity.h"

#include "core/error.h"
#include "io/hash.h"
#include "io/json_writer.h"
#include "models/llm/quant_mode.h"

namespace rallrec::train {

std::string hash_of_config(const config::Options& options) {
  const config::TuneOptions& tune = options.tune;
  io::JsonObjectWriter keys;
  keys.add("epochs", tune.epochs)
      .add("max_steps", tune.max_steps)
      .add("learning_rate", tune.learning_rate)
      .add("warmup_steps", tune.warmup_steps)
      .add("batch_size", tune.batch_size)
      .add("token_budget", tune.token_budget)
      .add("lora_r", tune.lora_r)
      .add("lora_alpha", tune.lora_alpha)
      .add("lora_dropout", tune.lora_dropout)
      .add("target_modules", tune.target_modules)
      .add("max_grad_norm", tune.max_grad_norm)
      .add("patience", tune.patience)
      .add("shown_answers", tune.shown_answers)
      .add("seed", tune.seed)
      .add("quant", models::llm::resolved_quant(options.model.quant))
      .add("chat_format", options.prompt.chat_format)
      .add("date_header", options.prompt.date_header)
      .add("cutoff", options.prompt.cutoff);
  return io::sha256_hex(keys.text());
}

std::string hash_of_files(const std::vector<std::string>& files) {
  std::string digests;
  for (const std::string& file : files) {
    digests += io::sha256_of_file(file) + "\n";
  }
  return io::sha256_hex(digests);
}

void require_same_identity(const RunIdentity& found, const RunIdentity& wanted,
                           const std::string& folder) {
  std::string differs;
  const auto compare = [&](const std::string& a, const std::string& b, const char* what) {
    if (a != b) {
      differs += (differs.empty() ? "" : ", ") + std::string(what);
    }
  };
  compare(found.config, wanted.config, "config");
  compare(found.data, wanted.data, "data");
  compare(found.model, wanted.model, "model");
  if (!differs.empty()) {
    throw_usage(folder + ": holds a run with another " + differs +
                " hash; choose another output folder, or start anew there with --resume never");
  }
}

}  // namespace rallrec::train
