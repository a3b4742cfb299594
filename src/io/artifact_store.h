// What a stage of a run read and wrote: the record by which a later start knows that the stage is
// up to date. Formats are in docs/formats.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rallrec::io {

struct FileRecord {
  std::string path;  // as the manifest names it
  std::uint64_t size = 0;
  std::string sha256;
};

// Contents of files by SHA-256. A file of kRememberedSize or more whose size and modification time
// are those of an earlier look is not read again: the model of a run has gigabytes. Smaller files
// are always read, and so are files modified in the last seconds, when two writes could share a
// time.
class FileHashes {
 public:
  static constexpr std::uint64_t kRememberedSize = std::uint64_t{64} << 20;

  // `memory` is the JSON file that keeps the remembered hashes; one that is missing or damaged is
  // taken as empty.
  explicit FileHashes(std::string memory);

  // The record of the file at `path`, under `name`. Errors as InputFile's.
  FileRecord record(const std::string& path, const std::string& name);
  // Adds what was hashed to the memory, which other processes may write too; makes its folder. What
  // cannot be written is a warning: the hashes are then computed again.
  void save();

 private:
  struct Remembered {
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    // Of the last change of content, name or attributes: tools that set the time of modification
    // cannot set it.
    std::int64_t changed_ns = 0;
    std::string sha256;
  };

  std::map<std::string, Remembered> read_memory() const;

  std::string memory_;
  std::map<std::string, Remembered> remembered_;  // by absolute path
  std::vector<std::string> added_;                // paths hashed since the last save
};

// The regular files at `relative` below `folder`: itself, or where it is a folder all files in it,
// sorted, as paths relative to `folder`. Temporary files of writes under way are left out.
std::vector<std::string> files_below(const std::string& folder, const std::string& relative);

// Removes what writes that were killed have left in a folder, and nothing below it. For the only
// writer of the folder.
void remove_temporary_files(const std::string& folder);

using Figure = std::variant<std::int64_t, double, std::string>;
using Figures = std::vector<std::pair<std::string, Figure>>;

struct Manifest {
  std::string stage;
  std::string code_version;
  std::string config_sha256;  // of the config sections that change the result
  std::string model_sha256;   // of the model's files, or ""
  std::vector<FileRecord> inputs;
  std::vector<FileRecord> outputs;
  // How the result was made; no part of the comparison.
  double seconds = 0.0;
  std::int64_t ranks = 1;
  std::int64_t threads = 1;
  Figures figures;  // the stage's own key figures, in its order
};

// Nothing where the file is missing, damaged or of another format version.
std::optional<Manifest> read_manifest(const std::string& path);
void write_manifest(const std::string& path, const Manifest& manifest);

// SHA-256 over everything that decides the result: code, config, model and inputs.
std::string key_of(const Manifest& manifest);

}  // namespace rallrec::io
