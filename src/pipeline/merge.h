#pragma once

#include <cstdint>
#include <string>

namespace rallrec::pipeline {

struct MergeFiles {
  std::string model;    // Hugging Face folder
  std::string adapter;  // PEFT folder
  std::string output;   // a folder that does not exist yet
};

// Writes the model with W + (alpha / r) · B A in place of every adapted W: the same files, shards
// and element types, each sum taken in double. Other tensors and files are copied byte for byte.
// A few megabytes at a time are in memory; the folder appears complete or not at all.
// Throws usage where the output exists or a weight is not stored as fp32, bf16 or fp16. For one
// rank; returns the number of merged weights.
std::int64_t merge_adapter(const MergeFiles& files);

}  // namespace rallrec::pipeline
