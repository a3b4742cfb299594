#include "logging/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <vector>

#include "core/error.h"

namespace rallrec::logging {
namespace {

LogOptions configured;

spdlog::sink_ptr file_sink(const std::string& path) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    file->set_level(spdlog::level::debug);
    return file;
  } catch (const spdlog::spdlog_ex&) {
    throw_io(path, "opening the log", errno);
  }
}

}  // namespace

const LogOptions& log_options() { return configured; }

void log_to_folder(const std::string& folder) {
  LogOptions options = configured;
  options.folder = folder;
  configure_logging(options);
}

void configure_logging(const LogOptions& options) {
  configured = options;
  std::vector<spdlog::sink_ptr> sinks;
  auto console = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  console->set_level(options.rank == 0 ? options.console : spdlog::level::warn);
  sinks.push_back(console);
  if (!options.folder.empty()) {
    const std::string name =
        options.rank == 0 ? "run.log" : "rank" + std::to_string(options.rank) + ".log";
    sinks.push_back(file_sink(options.folder + "/" + name));
  }
  auto logger = std::make_shared<spdlog::logger>("rallrec", sinks.begin(), sinks.end());
  logger->set_level(spdlog::level::debug);
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e [rank " + std::to_string(options.rank) + "/" +
                      std::to_string(options.size) + "] %^%l%$ %v");
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(logger);
  spdlog::flush_every(std::chrono::seconds(3));
}

}  // namespace rallrec::logging
