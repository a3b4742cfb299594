#include "commands/common_options.h"

#include <filesystem>

namespace rallrec::commands {
namespace {

constexpr const char* kGroup = "Common options";

void add_text(CLI::App& app, const char* name, std::string& target, const char* type,
              const char* help) {
  app.add_option(name, target, help)->group(kGroup)->type_name(type);
}

void add_flag_setting(const std::string& value, const char* name, const char* flag,
                      config::Sources& sources) {
  if (!value.empty()) {
    sources.flags.push_back({name, value, flag});
  }
}

}  // namespace

void add_common_options(CLI::App& app, const Command& command, CommonOptions& common) {
  add_text(app, "--config", common.config_file, "FILE", "TOML file with the settings of a run");
  app.add_option("--set", common.sets,
                 "Set one key; may be repeated; wins over file and environment")
      ->group(kGroup)
      ->type_name("SECTION.KEY=VALUE")
      ->expected(1)
      ->take_all();
  add_text(app, "--run-dir", common.run_dir, "DIR",
           "The run folder [runs/<name of the config file>]");
  add_text(app, "--threads", common.threads, "N",
           "Threads per rank [OMP_NUM_THREADS, else its share of the cores it may use]");
  if (app.get_option_no_throw("--device") == nullptr) {  // plan has its own
    add_text(app, "--device", common.device, "cpu|cuda", "Where to compute [cpu]");
  }
  if (command.uses_model) {
    add_text(app, "--quant", common.quant, "MODE",
             "Frozen weights: llm_int8, w8a16, w8a8, bf16, fp32, or auto: bf16 where the CPU has "
             "instructions for it, else fp32 [auto]");
  }
  if (command.resumes) {
    add_text(app, "--resume", common.resume, "auto|PATH|never",
             "Checkpoint to go on from [auto: the newest that verifies]");
  }
  if (command.reads_rows) {
    add_text(app, "--max-bad-rows", common.max_bad_rows, "N",
             "Malformed rows to set aside before reading stops [0]");
  }
  app.add_flag("--verbose", common.verbose, "Also log details")->group(kGroup);
  app.add_flag("--quiet", common.quiet, "Log warnings and errors only")->group(kGroup);
}

config::Sources sources_of(const CommonOptions& common) {
  config::Sources sources;
  sources.file = common.config_file;
  if (sources.file.empty() && !common.run_dir.empty()) {
    const std::string resolved = common.run_dir + "/config.resolved.toml";
    std::error_code ignored;
    if (std::filesystem::is_regular_file(resolved, ignored)) {
      sources.file = resolved;
    }
  }
  sources.environment = config::process_environment();
  sources.sets = common.sets;
  add_flag_setting(common.run_dir, "output.run_dir", "--run-dir", sources);
  add_flag_setting(common.threads, "cluster.threads", "--threads", sources);
  add_flag_setting(common.device, "cluster.device", "--device", sources);
  add_flag_setting(common.quant, "model.quant", "--quant", sources);
  add_flag_setting(common.max_bad_rows, "data.max_bad_rows", "--max-bad-rows", sources);
  return sources;
}

std::vector<std::string> words_of(const config::Sources& sources, const std::string& without) {
  std::vector<std::string> words;
  for (const std::string& set : sources.sets) {
    words.insert(words.end(), {"--set", set});
  }
  for (const config::FlagSetting& flag : sources.flags) {
    if (flag.name != without) {
      words.insert(words.end(), {flag.flag, flag.value});
    }
  }
  return words;
}

}  // namespace rallrec::commands
