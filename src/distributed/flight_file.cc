#include "distributed/flight_file.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "core/host_name.h"

namespace rallrec::distributed {
namespace {

// Texts here are names of stages and hosts, and our own sentences.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  out += '"';
  return out;
}

std::int64_t nanoseconds_of(std::chrono::nanoseconds since) { return since.count(); }

std::string seconds_text(std::int64_t nanoseconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(nanoseconds) * 1e-9);
  return text;
}

std::string header(const FlightRecord& record, int rank, int size, const std::string& job,
                   const Verdict& verdict) {
  const double unix_time =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  char time[40];
  std::snprintf(time, sizeof time, "%.3f", unix_time);
  std::string line = "{\"rank\": " + std::to_string(rank);
  line += ", \"ranks\": " + std::to_string(size) + ", \"host\": " + quoted(host_name());
  line += ", \"job\": " + quoted(job);
  line += ", \"pid\": " + std::to_string(getpid()) + ", \"unix_time\": " + time;
  line += ", \"calls\": " + std::to_string(record.calls());
  line += ", \"waited_seconds\": " + seconds_text(record.waited_nanoseconds());
  line += ", \"code\": " + std::to_string(static_cast<int>(verdict.code));
  return line + ", \"verdict\": " + quoted(verdict.text) + "}\n";
}

// Times are seconds before the record was written, so that those of several hosts can be compared.
std::string event_line(const FlightEvent& event, std::int64_t now) {
  std::string line = "{\"event\": " + std::to_string(event.number);
  line += ", \"age\": " + seconds_text(now - event.nanoseconds);
  line += std::string(", \"kind\": \"") + name_of(event.kind) + "\"";
  line += ", \"stage\": " + quoted(event.stage.data());
  line += std::string(", \"phase\": \"") + name_of(event.phase) + "\"";
  line += ", \"step\": " + std::to_string(event.step);
  line += ", \"layer\": " + std::to_string(event.layer);
  line += ", \"sequence\": " + std::to_string(event.call.sequence);
  if (event.call.sequence > 0) {
    line += std::string(", \"collective\": \"") + name_of(event.call.kind) + "\"";
    line += std::string(", \"dtype\": \"") + name_of(event.call.dtype) + "\"";
    line += ", \"elements\": " + std::to_string(event.call.elements);
    line += ", \"site\": " + quoted(event.call.site.data());
  }
  return line + "}\n";
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

}  // namespace

void write_flight_file(const std::string& path, const FlightRecord& record, int rank, int size,
                       const std::string& job, const Verdict& verdict) {
  std::error_code ignored;  // opening the file says it better
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const File file(std::fopen(path.c_str(), "w"), &std::fclose);
  if (file == nullptr) {
    throw_io(path, "create", errno);
  }
  const std::int64_t now = nanoseconds_of(WatchClock::now().time_since_epoch());
  std::string text = header(record, rank, size, job, verdict);
  for (const FlightEvent& event : record.events()) {
    text += event_line(event, now);
  }
  if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0) {
    throw_io(path, "write", errno);
  }
}

}  // namespace rallrec::distributed
