#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "io/files.h"
#include "io/jsonl.h"
#include "pipeline/doctor/flight_story.h"

namespace rallrec::pipeline {
namespace {

std::string place_in(const io::JsonRecord& record) {
  std::string text = record.get_string("stage");
  if (record.get_int("step") > 0) {
    text.append(", step ").append(std::to_string(record.get_int("step")));
  }
  text.append(", ").append(record.get_string("phase"));
  if (record.get_int("layer") >= 0) {
    text.append(", layer ").append(std::to_string(record.get_int("layer")));
  }
  return text;
}

FlightLine line_in(const io::JsonRecord& record) {
  FlightLine line;
  line.age = record.get_number("age");
  line.kind = record.get_string("kind");
  line.place = place_in(record);
  line.sequence = record.get_int("sequence");
  if (line.sequence > 0) {
    line.collective = record.get_string("collective");
    if (line.collective != "barrier") {
      line.collective +=
          " of " + std::to_string(record.get_int("elements")) + " x " + record.get_string("dtype");
    }
    const std::string site = record.has("site") ? record.get_string("site") : "";
    line.collective += site.empty() ? "" : " at " + site;
  }
  return line;
}

FlightFile read_flight_file(const std::string& path) {
  FlightFile file;
  bool first = true;
  io::for_each_record(path, {}, [&](const io::JsonRecord& record) {
    if (!first) {
      file.lines.push_back(line_in(record));
      return;
    }
    first = false;
    file.rank = static_cast<int>(record.get_int("rank"));
    file.ranks = static_cast<int>(record.get_int("ranks"));
    file.host = record.get_string("host");
    file.job = record.get_string("job");
    file.unix_time = record.get_number("unix_time");
    file.calls = record.get_int("calls");
    file.verdict = record.get_string("verdict");
  });
  if (first) {
    throw_bad_data(path, "is empty; expected a flight record");
  }
  return file;
}

void keep_newest_job(std::vector<FlightFile>& files) {
  const auto newest = std::max_element(
      files.begin(), files.end(),
      [](const FlightFile& a, const FlightFile& b) { return a.unix_time < b.unix_time; });
  const std::string job = newest->job;
  files.erase(std::remove_if(files.begin(), files.end(),
                             [&job](const FlightFile& file) { return file.job != job; }),
              files.end());
}

}  // namespace

std::vector<FlightFile> read_flight_files(const std::string& folder) {
  if (!io::is_folder(folder)) {
    throw_missing(folder, "no such folder; expected the folder flight/ of a run that hung");
  }
  std::vector<FlightFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("rank", 0) == 0 && entry.path().extension() == ".jsonl") {
      files.push_back(read_flight_file(entry.path().string()));
    }
  }
  if (files.empty()) {
    throw_missing(folder, "holds no rank<k>.jsonl; expected the folder flight/ of a run that hung");
  }
  keep_newest_job(files);
  std::sort(files.begin(), files.end(),
            [](const FlightFile& a, const FlightFile& b) { return a.rank < b.rank; });
  return files;
}

}  // namespace rallrec::pipeline
