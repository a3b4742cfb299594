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
  // Empty, or a folder that receives run.log (rank 0) and rank<k>.log at debug level.
  std::string folder;
};

// Sets spdlog's default logger; the rest of the code logs through spdlog::info and its siblings.
// Called by `main`, and again when the run folder is known.
void configure_logging(const LogOptions& options);

}  // namespace rallrec::logging
