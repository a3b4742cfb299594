#include "pipeline/describe.h"

#include <cstdint>
#include <memory>
#include <optional>

#include "commands/command_list.h"
#include "commands/model_file_flags.h"
#include "commands/stage_command.h"
#include "config/field.h"
#include "core/error.h"

namespace rallrec::commands {
namespace {

// Flags that stand above the section [describe]; unset where the person gave none.
struct DescribeFlags {
  pipeline::ModelFiles files;
  std::optional<std::int64_t> max_new_tokens;
  std::optional<std::int64_t> batch_size;
  std::optional<std::int64_t> seed;
  std::optional<double> temperature;
  std::optional<double> top_p;
};

// The flag stands above the key, and is checked as the key is.
template <typename T>
void apply(const char* flag, const char* key, const std::optional<T>& value,
           config::Options& options) {
  if (!value) {
    return;
  }
  const config::Field& field = *config::find_field(key);
  if (const std::string problem = field.check(*value); !problem.empty()) {
    throw_usage(std::string(flag) + ": " + problem + "; it is " +
                config::to_toml(config::Value(*value)));
  }
  field.set(options, *value);
}

config::Options options_with(const DescribeFlags& flags, config::Options options) {
  apply("--max-new-tokens", "describe.max_new_tokens", flags.max_new_tokens, options);
  apply("--batch-size", "describe.batch_size", flags.batch_size, options);
  apply("--temperature", "describe.temperature", flags.temperature, options);
  apply("--top-p", "describe.top_p", flags.top_p, options);
  apply("--seed", "describe.seed", flags.seed, options);
  return options;
}

int run_on_files(const DescribeFlags& flags, CommandContext& context) {
  require_model_files(flags.files, "describe", context);
  pipeline::describe_file(flags.files, options_with(flags, context.options), context.communicator);
  return 0;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<DescribeFlags>();
  const auto file_flags =
      add_model_file_flags(app, flags->files, true, "Prompts: JSON Lines {\"prompt\": …}",
                           "The same lines with \"description\"");
  app.add_option("--max-new-tokens", flags->max_new_tokens,
                 "Longest answer in tokens [describe.max_new_tokens: 128]")
      ->type_name("N");
  app.add_option("--batch-size", flags->batch_size,
                 "Prompts decoded together [describe.batch_size: 64]")
      ->type_name("N");
  app.add_option("--temperature", flags->temperature, "0 = greedy [describe.temperature: 0.8]")
      ->type_name("T");
  app.add_option("--top-p", flags->top_p,
                 "Share of probability that sampling draws from [describe.top_p: 0.9]")
      ->type_name("P");
  app.add_option("--seed", flags->seed, "Seed of the sampling [describe.seed: 42]")->type_name("N");
  return stage_or_files(app, "describe", file_flags,
                        [flags](CommandContext& context) { return run_on_files(*flags, context); });
}

}  // namespace

Command describe_command() {
  Command command;
  command.name = "describe";
  command.group = kStagesGroup;
  command.summary = "The model writes a description of every item";
  command.description =
      "On your own files: for each line {\"prompt\": …}, with an optional \"system\", the model's "
      "answer as \"description\", greedy or sampled with a seed. In a run folder: a description of "
      "every item from its metadata.";
  command.example =
      "rallrec describe --model DIR --input prompts.jsonl --output out.jsonl --temperature 0";
  command.define = define;
  command.uses_model = true;
  command.resumes = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
