#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"

namespace rallrec::pipeline {

// What a stage works with. All references outlive the stage.
struct StageContext {
  const config::Options& options;
  distributed::Communicator& communicator;
  // The run folder; artifacts live in run_dir/<stage>/… under the names of docs/formats.md.
  std::string run_dir;
};

// One stage of the pipeline. Stages talk only through files in the run folder. `run` is called on
// all ranks; it reads `inputs` and writes every file of `outputs` (rank 0 writes unless the stage
// says otherwise), each atomically. The runner skips a stage whose manifest still matches.
struct Stage {
  std::string name;
  // Paths relative to the run folder.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  // Config sections whose values change the result ("data", "prompt", …).
  std::vector<std::string> sections;
  // True where the result depends on the model folder.
  bool uses_model = false;
  void (*run)(StageContext&) = nullptr;
};

}  // namespace rallrec::pipeline
