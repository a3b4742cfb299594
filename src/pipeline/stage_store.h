#pragma once

#include <optional>
#include <string>
#include <utility>

#include "io/artifact_store.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

// Results of stages by what they were made from, so that runs which have a stage in common make it
// once: FOLDER/<stage>/<key>/ with the manifest, who made it and the outputs, where key is
// io::key_of the manifest. Files are hard links of those in the runs, copies where the file system
// has none. Used by rank 0 alone, and by one program at a time.
class StageStore {
 public:
  explicit StageStore(std::string folder) : folder_(std::move(folder)) {}

  const std::string& folder() const { return folder_; }

  // Puts the stored result that `expected` asks for into the run folder, manifest included, in
  // place of what the stage has left there; the manifest, or nothing where there is none. A stored
  // result that was damaged is removed with a warning.
  std::optional<io::Manifest> take(const std::string& run_dir, const Stage& stage,
                                   const io::Manifest& expected, io::FileHashes& hashes) const;

  // Keeps the result in the run folder that `made` is the manifest of. Does nothing where it is
  // stored already.
  void put(const std::string& run_dir, const io::Manifest& made) const;

  // Whether the stored result was made in another folder than this run's.
  bool made_elsewhere(const std::string& run_dir, const io::Manifest& manifest) const;

 private:
  std::string place_of(const io::Manifest& manifest) const;
  std::string name_of_run(const std::string& run_dir) const;

  std::string folder_;
};

}  // namespace rallrec::pipeline
