#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/llm/causal_lm.h"
#include "train/adam.h"
#include "train/outlier_watch.h"
#include "train/run_identity.h"

namespace rallrec::train {

// The lowest validation loss so far and the adapter that reached it.
struct BestSoFar {
  double loss = 0.0;
  std::int64_t step = 0;
  std::vector<float> parameters;
};

// Everything besides the adapter that the next step depends on. Data order, dropout and learning
// rate are functions of the step number and the config.
struct TrainingState {
  std::int64_t step = 0;  // steps done
  Adam adam{0};
  std::int64_t skipped_in_a_row = 0;  // steps without an update because of a non-finite value
  std::int64_t epochs_without_improvement = 0;
  std::optional<BestSoFar> best;
  // Of the last steps, so that an outlier is one whether or not the run was interrupted.
  OutlierWatch losses;
  OutlierWatch grad_norms;
};

// What a checkpoint says about where it was made.
struct CheckpointOrigin {
  std::string base_model;
  std::int64_t layers = 0;
  int world_size = 1;
};

// Writes <folder>/step-<n>/: the adapter (PEFT layout), optimizer.safetensors, state.json and,
// last, manifest.json with size and SHA-256 of each file. Files are written under a temporary
// folder name, fsynced, read back and hashed; then the folder is renamed and its parent fsynced, so
// a step-<n> folder is complete or does not exist. Returns its path. Called by one rank. Throws
// kIo.
std::string save_checkpoint(const std::string& folder, const models::llm::LoraAdapter& adapter,
                            const TrainingState& state, const RunIdentity& identity,
                            const CheckpointOrigin& origin);

// Reads a checkpoint that verifies into `adapter` and returns the rest. Throws kBadData naming the
// file where a hash, a shape or a value is wrong, or kUsage where its identity is another run's.
TrainingState load_checkpoint(const std::string& path, const RunIdentity& identity,
                              const models::llm::LlmConfig& config,
                              models::llm::LoraAdapter& adapter);

// Throws kBadData or kMissingInput unless every file of the checkpoint is as its manifest says.
void verify_checkpoint(const std::string& path);

// The step-<n> folders under `folder`, newest first.
std::vector<std::string> list_checkpoints(const std::string& folder);

// The newest checkpoint that verifies; broken ones are reported and passed over. Empty: none.
std::string newest_checkpoint(const std::string& folder);

// Removes all but the `keep` newest checkpoints that verify (at least 2 are kept) and what
// interrupted writes left behind.
void prune_checkpoints(const std::string& folder, std::int64_t keep);

}  // namespace rallrec::train
