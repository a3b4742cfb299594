#include "train/run_identity.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include "core/error.h"
#include "io/hash.h"
#include "io/json_value.h"
#include "io/json_writer.h"
#include "models/llm/quant_mode.h"

namespace rallrec::train {
namespace {

// "tune.seed was 1 and is 2, …"; empty where either side is not known.
std::string changed_options(const std::string& found, const std::string& wanted) {
  if (found.empty() || wanted.empty()) {
    return "";
  }
  const io::JsonValue before = io::parse_json("options", found);
  const io::JsonValue now = io::parse_json("options", wanted);
  std::vector<std::string> changed;
  for (const io::JsonMember& member : *now.object()) {
    const io::JsonValue* value = before.find(member.key);
    const std::string was = value != nullptr ? io::to_json(*value) : "not there";
    const std::string is = io::to_json(member.value);
    if (was != is) {
      changed.push_back(fmt::format("{} was {} and is {}", member.key, was, is));
    }
  }
  return fmt::format("{}", fmt::join(changed, ", "));
}

}  // namespace

std::string deciding_options(const config::Options& options) {
  const config::TuneOptions& tune = options.tune;
  io::JsonObjectWriter keys;
  keys.add("tune.epochs", tune.epochs)
      .add("tune.max_steps", tune.max_steps)
      .add("tune.learning_rate", tune.learning_rate)
      .add("tune.warmup_steps", tune.warmup_steps)
      .add("tune.batch_size", tune.batch_size)
      .add("tune.token_budget", tune.token_budget)
      .add("tune.lora_r", tune.lora_r)
      .add("tune.lora_alpha", tune.lora_alpha)
      .add("tune.lora_dropout", tune.lora_dropout)
      .add("tune.target_modules", tune.target_modules)
      .add("tune.max_grad_norm", tune.max_grad_norm)
      .add("tune.patience", tune.patience)
      .add("tune.shown_answers", tune.shown_answers)
      .add("tune.seed", tune.seed)
      .add("model.quant",
           models::llm::resolved_quant(options.model.quant, config::device_of(options.cluster)))
      .add("prompt.chat_format", options.prompt.chat_format)
      .add("prompt.date_header", options.prompt.date_header)
      .add("prompt.cutoff", options.prompt.cutoff);
  // One that is off is left out: it changes nothing, and other versions of rallrec do not know it.
  const config::RefcompatOptions& refcompat = options.refcompat;
  const std::pair<const char*, bool> deviations[] = {
      {"refcompat.double_bos", refcompat.double_bos},
      {"refcompat.labels_include_newline", refcompat.labels_include_newline},
      {"refcompat.no_end_of_turn", refcompat.no_end_of_turn},
      {"refcompat.right_truncation", refcompat.right_truncation}};
  for (const auto& [name, is_on] : deviations) {
    if (is_on) {
      keys.add(name, true);
    }
  }
  return keys.text();
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
  std::vector<std::string> differs;
  if (found.config != wanted.config) {
    const std::string changed = changed_options(found.options, wanted.options);
    differs.push_back(changed.empty() ? "other options" : "other options (" + changed + ")");
  }
  if (found.data != wanted.data) {
    differs.emplace_back("other prompts");
  }
  if (found.model != wanted.model) {
    differs.emplace_back("another model");
  }
  if (!differs.empty()) {
    throw_usage(fmt::format(
        "{}: holds a run with {}; go on with what it was started with, choose another output "
        "folder, or start anew there with --resume never",
        folder, fmt::join(differs, ", ")));
  }
}

}  // namespace rallrec::train
