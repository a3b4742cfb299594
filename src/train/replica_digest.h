#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "models/llm/lora_adapter.h"
#include "train/checkpoint.h"

namespace rallrec::train {

// The 128-bit hash of adapter, optimizer, best adapter so far and counters: everything that must be
// equal on all ranks.
std::string replica_digest(const models::llm::LoraAdapter& adapter, const TrainingState& state);

// The ranks whose digest is not the one that more than half of the ranks have; where none has a
// majority, all ranks; empty where all are equal.
std::vector<int> ranks_that_differ(const std::vector<std::string>& digests);

// Throws Error (kDiverged) on every rank, naming those that differ, unless all ranks hold the same.
// Collective.
void require_equal_replicas(const models::llm::LoraAdapter& adapter, const TrainingState& state,
                            distributed::Communicator& communicator);

}  // namespace rallrec::train
