#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"
#include "io/artifact_store.h"

namespace rallrec::pipeline {

// Key figures of what a stage did ("prompts" 512), for the table at the end of a run and the
// report. They are global: rank 0's are kept in the manifest, in the order of adding.
class StageReport {
 public:
  void add(const std::string& name, io::Figure figure) {
    figures_.emplace_back(name, std::move(figure));
  }
  const io::Figures& figures() const { return figures_; }

 private:
  io::Figures figures_;
};

// What a stage works with. All references outlive the stage.
struct StageContext {
  const config::Options& options;
  distributed::Communicator& communicator;
  // The run folder; artifacts live in run_dir/<stage>/… under the names of docs/formats.md. The
  // stage's own folder exists.
  std::string run_dir;
  // auto: go on from the newest checkpoint that verifies; never: start anew; else a checkpoint. The
  // runner says never where config or inputs changed since the checkpoints were written.
  std::string resume = "auto";
  StageReport report = {};
};

// What of the model folder a stage's result depends on.
enum class ModelUse { kNone, kTokenizer, kWeights };

// One stage of the pipeline. Stages talk only through files in the run folder. `run` is called on
// all ranks; it reads `inputs` and writes every file of `outputs` (rank 0 writes unless the stage
// says otherwise), each atomically. The runner skips a stage whose manifest still matches.
struct Stage {
  std::string name;
  // Paths relative to the run folder; a folder stands for all files in it.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  // Config sections or keys whose values change the result ("data", "prompt.k", …).
  std::vector<std::string> sections;
  ModelUse model = ModelUse::kNone;
  void (*run)(StageContext&) = nullptr;
  // Read or written where the options ask for it.
  std::vector<std::string> optional_inputs = {};
  std::vector<std::string> optional_outputs = {};
  // Files outside the run folder that the result depends on; null where there are none.
  std::vector<std::string> (*external_inputs)(const config::Options&) = nullptr;
  // Removes from the stage's folder what a later start could go on from (checkpoints, partial
  // results); null where there is no such thing. Called by rank 0 before the stage starts anew.
  void (*clear)(const std::string& folder) = nullptr;
  // Narrows inputs and settings to those that the options ask for; null where they are always the
  // same.
  void (*fit)(Stage&, const config::Options&) = nullptr;
};

}  // namespace rallrec::pipeline
