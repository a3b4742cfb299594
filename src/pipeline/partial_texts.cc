#include "pipeline/partial_texts.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "core/error.h"
#include "distributed/joint_error.h"
#include "io/files.h"
#include "io/json_parser.h"
#include "io/json_writer.h"
#include "io/jsonl.h"

namespace rallrec::pipeline {
namespace {

constexpr const char* kPrefix = "partial.rank";

std::vector<std::string> partial_files(const std::string& folder) {
  std::vector<std::string> paths;
  if (!io::is_folder(folder)) {
    return paths;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().rfind(kPrefix, 0) == 0) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The lines of one file that are whole, as JSON Lines.
std::string whole_lines(const std::string& path) {
  io::JsonlOptions options;
  options.bad_rows.max_bad_rows = std::numeric_limits<std::int64_t>::max();
  // A line holds the texts of a whole batch.
  options.max_record_bytes = std::max(options.max_record_bytes,
                                      static_cast<std::size_t>(std::filesystem::file_size(path)));
  std::string lines;
  io::for_each_record(path, options, [&lines](const io::JsonRecord& record) {
    io::JsonObjectWriter line;
    line.add("key", record.get_string("key")).add("texts", record.get_strings("texts"));
    lines += line.text() + "\n";
  });
  return lines;
}

}  // namespace

PartialTexts::PartialTexts(const std::string& folder, bool reuse,
                           distributed::Communicator& communicator) {
  std::string lines;
  distributed::run_on_rank_0(communicator, [&] {
    if (!reuse) {
      remove(folder);
    }
    for (const std::string& path : partial_files(folder)) {
      lines += whole_lines(path);
    }
  });
  lines = distributed::broadcast_string(communicator, lines, 0);
  io::for_each_own_line(lines, [this](const std::string&, const io::JsonValue& value) {
    std::vector<std::string> texts;
    for (const io::JsonValue& text : *value.find("texts")->array()) {
      texts.push_back(*text.string());
    }
    found_[*value.find("key")->string()] = std::move(texts);
  });
  file_ = std::make_unique<io::AppendFile>(folder + "/" + kPrefix +
                                           std::to_string(communicator.rank()) + ".jsonl");
  // Ends a line that a kill may have cut off.
  file_->append("\n");
}

const std::vector<std::string>* PartialTexts::find(const std::string& key) const {
  const auto found = found_.find(key);
  return found == found_.end() ? nullptr : &found->second;
}

void PartialTexts::add(const std::string& key, const std::vector<std::string>& texts) {
  if (file_ != nullptr) {
    io::JsonObjectWriter line;
    line.add("key", key).add("texts", texts);
    file_->append(line.text() + "\n");
    file_->sync();
  }
}

void PartialTexts::remove(const std::string& folder) {
  for (const std::string& path : partial_files(folder)) {
    std::error_code error;
    if (!std::filesystem::remove(path, error) && error) {
      throw_io(path, "remove", error.value());
    }
  }
}

}  // namespace rallrec::pipeline
