#include "pipeline/experiment/cell_failure.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "io/atomic_file.h"
#include "io/files.h"

namespace rallrec::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "failure.rank";

bool ends_the_program(ExitCode code) {
  return code == ExitCode::kCheckpointed || code == ExitCode::kPeerLost ||
         code == ExitCode::kHang || code == ExitCode::kDiverged;
}

std::string report_path(const std::string& folder, int rank) {
  return folder + "/" + kPrefix + std::to_string(rank);
}

std::vector<std::string> reports_in(const std::string& folder) {
  std::vector<std::string> reports;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().rfind(kPrefix, 0) == 0) {
      reports.push_back(entry.path().string());
    }
  }
  return reports;
}

// The code on the first line, then the message.
std::string text_of(const Failure& failure) {
  return std::to_string(static_cast<int>(failure.code)) + "\n" + failure.message;
}

}  // namespace

std::optional<Failure> cell_failure(const std::function<void()>& body) {
  try {
    body();
  } catch (...) {
    const Failure failure = failure_of(std::current_exception());
    if (ends_the_program(failure.code)) {
      throw;
    }
    return failure;
  }
  return std::nullopt;
}

void CellFailures::begin(const std::string& folder) {
  if (communicator_.rank() == 0) {
    for (const std::string& report : reports_in(folder)) {
      std::remove(report.c_str());
    }
  }
  communicator_.barrier();
}

void CellFailures::go_on_together(const std::string& folder, const Failure& failure) {
  const std::string report = text_of(failure);
  io::make_directories(folder);
  io::write_file_atomically(report_path(folder, communicator_.rank()), report);
  if (!all_report(folder, report)) {
    throw Error(failure.code, failure.message);
  }
  communicator_.barrier();  // all have seen the reports
  begin(folder);
}

bool CellFailures::all_report(const std::string& folder, const std::string& report) const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(patience_);
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    const std::string path = report_path(folder, rank);
    while (!io::file_exists(path)) {
      if (std::chrono::steady_clock::now() > end) {
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (io::read_file(path) != report) {
      return false;
    }
  }
  return true;
}

std::optional<Failure> CellFailures::left_in(const std::string& folder) {
  const std::vector<std::string> reports = reports_in(folder);
  if (reports.empty()) {
    return std::nullopt;
  }
  const std::string text = io::read_file(reports.front());
  const std::size_t line = text.find('\n');
  Failure failure;
  failure.code = static_cast<ExitCode>(std::atoi(text.c_str()));
  failure.message = line == std::string::npos ? text : text.substr(line + 1);
  return failure;
}

}  // namespace rallrec::pipeline
