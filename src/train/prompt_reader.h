#pragma once

#include <cstdint>
#include <string>

#include "distributed/communicator.h"
#include "train/prompt_dataset.h"
#include "train/prompt_encoder.h"

namespace rallrec::train {

// The prompts of a JSONL file or JSON array, tokenised by all ranks together, each its part; equal
// on all ranks. At most `max_bad_rows` records that are no prompts go to <path>.rejects. Prompts
// that had to be shortened are counted and reported. kBadData where no prompt is left. Collective.
PromptDataset read_prompts(const std::string& path, const PromptEncoder& encoder,
                           std::int64_t max_bad_rows, distributed::Communicator& communicator);

}  // namespace rallrec::train
