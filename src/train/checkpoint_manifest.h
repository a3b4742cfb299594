#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/run_identity.h"

namespace rallrec::train {

struct CheckpointFile {
  std::string name;
  std::uint64_t size = 0;
  std::string sha256;
};

// manifest.json of a checkpoint: what a complete one holds. Its last member is the SHA-256 of the
// text before it, so a damaged manifest is known as such.
struct CheckpointManifest {
  std::int64_t step = 0;
  std::int64_t world_size = 0;
  RunIdentity identity;
  std::vector<CheckpointFile> files;
};

// The record of folder/name, read back from disk.
CheckpointFile record_of(const std::string& folder, const std::string& name);

void write_manifest(const std::string& folder, const CheckpointManifest& manifest);

// Reads and checks the manifest and every file it names; kBadData or kMissingInput naming the file.
CheckpointManifest read_verified_manifest(const std::string& folder);

}  // namespace rallrec::train
