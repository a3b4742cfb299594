#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/run_identity.h"

namespace rallrec::train {

// tune_state.json of an output folder: whose run it holds and whether it came to its end.
struct TuneState {
  RunIdentity identity;
  bool finished = false;
  std::int64_t steps = 0;      // taken, where finished
  std::string adapter_sha256;  // of adapter_model.safetensors, where finished
};

// Nothing where the file does not exist. kBadData where it is damaged; the message names
// `--resume never`.
std::optional<TuneState> read_tune_state(const std::string& folder);
void write_tune_state(const std::string& folder, const TuneState& state);

// True where the run ended and its adapter is still as it was published.
bool is_finished(const std::string& folder, const TuneState& state);

// Removes everything that an earlier run left in the folder: checkpoints, adapter, logs, state.
// Other files stay.
void clear_tune_folder(const std::string& folder);

}  // namespace rallrec::train
