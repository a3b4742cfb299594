#pragma once

#include <string>
#include <vector>

#include "config/options.h"

namespace rallrec::train {

// What a training run is a function of. Two runs with the same three hashes, by the same version of
// the program with as many threads per rank on processors of one class, give the same adapter, so a
// checkpoint may only be continued under the same identity.
struct RunIdentity {
  std::string config;  // SHA-256 of the options that change the result
  std::string data;    // of the content of the prompt files
  std::string model;   // of the content of the model folder
  // The options themselves, one JSON object, for messages; empty: not known.
  std::string options = "";

  bool operator==(const RunIdentity& other) const {
    return config == other.config && data == other.data && model == other.model;
  }
};

// The tune options, the compute mode and the prompt wrapping as one JSON object, keys as in the
// config; how often checkpoints are written and how many are kept does not count.
std::string deciding_options(const config::Options& options);

// SHA-256 over the content of `files`, in order.
std::string hash_of_files(const std::vector<std::string>& files);

// Throws a usage error that names what differs (of options both values, where known), the folder
// and the cures, unless the two agree.
void require_same_identity(const RunIdentity& found, const RunIdentity& wanted,
                           const std::string& folder);

}  // namespace rallrec::train
