#include "commands/invocation.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "commands/threads.h"
#include "config/load.h"
#include "core/error.h"
#include "core/host_name.h"
#include "core/usable_gpu.h"
#include "distributed/flight_marks.h"
#include "logging/log.h"

namespace rallrec::commands {
namespace {

// "runs/<name>" for configs/<name>.toml where neither file nor flag names a run folder.
void name_run_folder(const std::string& config_file, config::Config& config) {
  std::string& run_dir = config.options.output.run_dir;
  if (run_dir.empty() && !config_file.empty()) {
    run_dir = "runs/" + std::filesystem::path(config_file).stem().string();
    config.origins["output.run_dir"] = "name of the config file";
  }
}

void check_device(const config::Options& options) {
  if (config::device_of(options.cluster) == Device::kCuda) {
    require_usable_gpu();
  }
}

void start_logging(const Invocation& invocation, const config::Options& options,
                   const distributed::Communicator& communicator) {
  logging::LogOptions log;
  log.rank = communicator.rank();
  log.size = communicator.size();
  log.progress_seconds = options.output.progress_seconds;
  if (invocation.common.verbose) {
    log.console = spdlog::level::debug;
  } else if (invocation.common.quiet) {
    log.console = spdlog::level::warn;
  }
  logging::configure_logging(log);
  if (log.size > 1) {
    std::fprintf(stderr, "[rank %d/%d] %s on %s, %d threads\n", log.rank, log.size,
                 invocation.command->name.c_str(), host_name().c_str(), thread_count());
  }
}

void start_watchdog(const config::Options& options, distributed::Session& session) {
  const config::WatchdogOptions& watchdog = options.watchdog;
  distributed::keep_flight_in(options.output.run_dir);
  session.watch({{watchdog.timeout, watchdog.load, watchdog.prompts, watchdog.checkpoint},
                 [](const std::string& warning) { spdlog::warn("{}", warning); }});
}

}  // namespace

int execute(const Invocation& invocation, distributed::Session& session) {
  const config::Sources sources = sources_of(invocation.common);
  config::Sources of_run = sources;
  if (invocation.command->own_config) {
    of_run.file.clear();
  }
  config::Config config = config::load_config(of_run);
  name_run_folder(sources.file, config);
  check_device(config.options);
  set_threads(config.options.cluster.threads, session.ranks_on_same_cores());
  start_logging(invocation, config.options, session.communicator());
  distributed::mark_stage(invocation.command->name);
  start_watchdog(config.options, session);
  CommandContext context{session.communicator(), config.options,           config.origins,
                         sources.file,           invocation.common.resume, sources};
  const int code = invocation.run(context);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw_io("standard output", "writing", errno);
  }
  return code;
}

}  // namespace rallrec::commands
