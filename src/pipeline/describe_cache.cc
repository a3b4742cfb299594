#include "pipeline/describe_cache.h"

#include <limits>

#include "distributed/joint_error.h"
#include "io/artifact_store.h"
#include "io/files.h"
#include "io/hash.h"
#include "io/json_parser.h"
#include "io/json_writer.h"
#include "io/jsonl.h"
#include "pipeline/external_inputs.h"

namespace rallrec::pipeline {
namespace {

std::string key_of(const std::vector<std::int64_t>& ids) {
  return io::xxh3_128_hex(
      {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(ids.front())});
}

// Names everything that a text depends on beside its request.
std::string file_of(const config::Options& options, const std::string& run_dir) {
  const config::DescribeOptions& describe = options.describe;
  io::FileHashes hashes(hash_memory(options, run_dir));
  io::JsonObjectWriter content;
  content.add("model", model_sha256(options, ModelUse::kWeights, hashes));
  hashes.save();
  content.add("tokens", describe.max_new_tokens).add("temperature", describe.temperature);
  content.add("top_p", describe.top_p).add("seed", describe.seed);
  if (options.refcompat.empty_newlines) {
    content.add("empty_newlines", true);
  }
  return describe.cache + "/descriptions-" + io::xxh3_128_hex(content.text()) + ".jsonl";
}

std::string line_of(const std::string& key, const std::string& prompt,
                    const std::string& description) {
  io::JsonObjectWriter line;
  line.add("key", key).add("prompt", prompt).add("description", description);
  return line.text();
}

}  // namespace

DescribeCache::DescribeCache(const config::Options& options, const std::string& run_dir,
                             distributed::Communicator& communicator) {
  if (options.describe.cache.empty()) {
    return;
  }
  std::string lines;
  distributed::run_on_rank_0(communicator, [&] {
    path_ = file_of(options, run_dir);
    Entries entries;
    read_into(entries);
    for (const auto& [key, entry] : entries) {
      lines += line_of(key, entry.prompt, entry.description) + "\n";
    }
  });
  lines = distributed::broadcast_string(communicator, lines, 0);
  io::for_each_own_line(lines, [this](const std::string&, const io::JsonValue& value) {
    found_[*value.find("key")->string()] = {*value.find("prompt")->string(),
                                            *value.find("description")->string()};
  });
}

const std::string* DescribeCache::find(const std::vector<std::int64_t>& ids) const {
  const auto found = found_.find(key_of(ids));
  return found == found_.end() ? nullptr : &found->second.description;
}

void DescribeCache::add(const std::vector<std::int64_t>& ids, const std::string& prompt,
                        const std::string& description) {
  added_[key_of(ids)] = {prompt, description};
}

void DescribeCache::save() const {
  if (path_.empty() || added_.empty()) {
    return;
  }
  io::make_directories(io::folder_of(path_));
  Entries entries = added_;
  read_into(entries);
  io::JsonlWriter writer(path_);
  for (const auto& [key, entry] : entries) {
    writer.write_line(line_of(key, entry.prompt, entry.description));
  }
  writer.commit();
}

void DescribeCache::read_into(Entries& entries) const {
  if (!io::file_exists(path_)) {
    return;
  }
  io::JsonlOptions options;
  options.bad_rows.max_bad_rows = std::numeric_limits<std::int64_t>::max();
  io::for_each_record(path_, options, [&entries](const io::JsonRecord& record) {
    entries[record.get_string("key")] = {record.get_string("prompt"),
                                         record.get_string("description")};
  });
}

std::uint64_t draw_of(const std::vector<std::int64_t>& ids) {
  return io::xxh3_64(ids.data(), ids.size() * sizeof(ids.front()));
}

}  // namespace rallrec::pipeline
