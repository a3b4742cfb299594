#pragma once

#include <string>
#include <vector>

#include "config/options.h"

namespace rallrec::train {

// What a training run is a function of. Two runs with the same three hashes give the same adapter,
// so a checkpoint may only be continued under the same identity.
struct RunIdentity {
  std::string config;  // options that change the result
  std::string data;    // content of the prompt files
  std::string model;   // content of the model folder

  bool operator==(const RunIdentity& other) const {
    return config == other.config && data == other.data && model == other.model;
  }
};

// SHA-256 of the tune options, the compute mode and the prompt wrapping; how often checkpoints are
// written and how many are kept does not count.
std::string hash_of_config(const config::Options& options);

// SHA-256 over the content of `files`, in order.
std::string hash_of_files(const std::vector<std::string>& files);

// Throws a usage error that names what differs, the folder and `--resume never`, unless the two
// agree.
void require_same_identity(const RunIdentity& found, const RunIdentity& wanted,
                           const std::string& folder);

}  // namespace rallrec::train
