#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace rallrec::logging {

// Where this process's log lines go. Lines carry "[rank r/n]". Rank 0 writes to stderr at `console`
// level, other ranks only warnings; stdout is never written to, it belongs to results.
struct LogOptions {
  int rank = 0;
  int size = 1;
  spdlog::level::level_enum console = spdlog::level::info;
  // Empty, or an existing folder that receives run.log (rank 0) and rank<k>.log at debug level.
  std::string folder;
  // Seconds between lines of logging::Progress where stderr is not a terminal.
  double progress_seconds = 10.0;
};

// Sets spdlog's default logger; the rest of the code logs through spdlog::info and its siblings.
void configure_logging(const LogOptions& options);

// The same options, now also to files in `folder`.
void log_to_folder(const std::string& folder);

// What was configured last.
const LogOptions& log_options();

}  // namespace rallrec::logging
