#include "pipeline/stage_state.h"

#include <algorithm>
#include <set>
#include <vector>

#include "config/write.h"
#include "core/check.h"
#include "core/error.h"
#include "io/files.h"
#include "io/hash.h"
#include "pipeline/build_info.h"
#include "pipeline/external_inputs.h"

namespace rallrec::pipeline {
namespace {

void add_inputs(const std::string& run_dir, const std::vector<std::string>& paths, bool optional,
                io::FileHashes& hashes, io::Manifest& manifest) {
  for (const std::string& path : paths) {
    const std::vector<std::string> files = io::files_below(run_dir, path);
    if (files.empty() && !optional) {
      throw_not_written(run_dir, path, "stage " + manifest.stage);
    }
    for (const std::string& file : files) {
      manifest.inputs.push_back(hashes.record(run_dir + "/" + file, file));
    }
  }
}

std::vector<io::FileRecord> outputs_on_disk(const std::string& run_dir, const Stage& stage,
                                            io::FileHashes& hashes) {
  std::vector<io::FileRecord> records;
  for (const auto* paths : {&stage.outputs, &stage.optional_outputs}) {
    for (const std::string& path : *paths) {
      for (const std::string& file : io::files_below(run_dir, path)) {
        records.push_back(hashes.record(run_dir + "/" + file, file));
      }
    }
  }
  return records;
}

// The first name whose content is not the same in both, or "".
std::string changed_file(const std::vector<io::FileRecord>& before,
                         const std::vector<io::FileRecord>& after) {
  for (std::size_t i = 0; i < before.size() || i < after.size(); ++i) {
    if (i >= before.size()) {
      return after[i].path;
    }
    if (i >= after.size() || before[i].path != after[i].path ||
        before[i].sha256 != after[i].sha256) {
      return before[i].path;
    }
  }
  return "";
}

// The stage that writes a file, which may be "baseline/dcn"; "" where it has no manifest.
std::string writer_of(const std::string& run_dir, const std::string& file) {
  for (std::size_t end = file.rfind('/'); end != std::string::npos && end > 0;
       end = file.rfind('/', end - 1)) {
    if (io::file_exists(run_dir + "/" + file.substr(0, end) + "/manifest.json")) {
      return file.substr(0, end);
    }
  }
  return "";
}

const io::FileRecord* record_of(const std::vector<io::FileRecord>& records,
                                const std::string& path) {
  const auto found = std::find_if(records.begin(), records.end(),
                                  [&path](const auto& record) { return record.path == path; });
  return found == records.end() ? nullptr : &*found;
}

}  // namespace

void require_consistent(const std::string& run_dir, const std::vector<std::string>& files,
                        const std::string& reader) {
  std::set<std::string> seen;
  std::vector<std::string> open;
  for (const std::string& file : files) {
    open.push_back(writer_of(run_dir, file + "/"));
  }
  while (!open.empty()) {
    const std::string stage = open.back();
    open.pop_back();
    if (stage.empty() || !seen.insert(stage).second) {
      continue;
    }
    const auto manifest = io::read_manifest(run_dir + "/" + stage + "/manifest.json");
    if (!manifest) {
      continue;
    }
    for (const io::FileRecord& input : manifest->inputs) {
      const std::string writer = writer_of(run_dir, input.path);
      if (writer.empty()) {
        continue;
      }
      const auto written = io::read_manifest(run_dir + "/" + writer + "/manifest.json");
      const io::FileRecord* now = written ? record_of(written->outputs, input.path) : nullptr;
      if (now == nullptr || now->sha256 != input.sha256) {
        throw_missing(run_dir + "/" + stage,
                      "is needed by " + reader + " and was made of another " + input.path +
                          " than stage " + writer + " has written since; run `rallrec run` again");
      }
      open.push_back(writer);
    }
  }
}

void throw_not_written(const std::string& run_dir, const std::string& path,
                       const std::string& reader) {
  const std::string writer = path.substr(0, path.find('/'));
  throw_missing(run_dir + "/" + path, "is read by " + reader + " and written by stage " + writer +
                                          "; run that one first (`rallrec run` does)");
}

std::string manifest_path(const std::string& run_dir, const Stage& stage) {
  return run_dir + "/" + stage.name + "/manifest.json";
}

io::Manifest expected_manifest(const std::string& run_dir, const Stage& stage,
                               const config::Options& options, io::FileHashes& hashes) {
  io::Manifest manifest;
  manifest.stage = stage.name;
  manifest.code_version = code_version();
  std::string settings;
  for (const std::string& section : stage.sections) {
    const std::string text = config::section_text(options, section);
    RALLREC_CHECK(!text.empty(), "stage " + stage.name + " names no config section: " + section);
    settings += text;
  }
  manifest.config_sha256 = io::sha256_hex(settings);
  manifest.model_sha256 = model_sha256(options, stage.model, hashes);
  add_inputs(run_dir, stage.inputs, false, hashes, manifest);
  add_inputs(run_dir, stage.optional_inputs, true, hashes, manifest);
  if (stage.external_inputs != nullptr) {
    for (const std::string& file : stage.external_inputs(options)) {
      manifest.inputs.push_back(hashes.record(file, file));
    }
  }
  return manifest;
}

void record_outputs(const std::string& run_dir, const Stage& stage, io::FileHashes& hashes,
                    io::Manifest& manifest) {
  for (const std::string& path : stage.outputs) {
    RALLREC_CHECK(!io::files_below(run_dir, path).empty(),
                  "stage " + stage.name + " has ended without writing " + path);
  }
  manifest.outputs = outputs_on_disk(run_dir, stage, hashes);
}

std::string difference(const std::string& run_dir, const Stage& stage, const io::Manifest& kept,
                       const io::Manifest& expected, io::FileHashes& hashes) {
  if (kept.stage != expected.stage || kept.code_version != expected.code_version) {
    return "made by version " + kept.code_version;
  }
  if (kept.config_sha256 != expected.config_sha256) {
    return "its settings changed";
  }
  if (kept.model_sha256 != expected.model_sha256) {
    return "the model changed";
  }
  if (const std::string file = changed_file(kept.inputs, expected.inputs); !file.empty()) {
    return "input " + file + " changed";
  }
  const std::string file = changed_file(kept.outputs, outputs_on_disk(run_dir, stage, hashes));
  return file.empty() ? "" : "output " + file + " changed";
}

}  // namespace rallrec::pipeline
