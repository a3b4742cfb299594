#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "io/artifact_store.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

// What infer.adapter says for the bare model.
constexpr const char* kNoAdapter = "none";

// The files of the data folder (data.path), or data.path itself where it is a file. Throws Error:
// usage where the key is empty, missing input where nothing is there.
std::vector<std::string> data_files(const config::Options& options);

// The file with the wording (prompt.templates).
std::vector<std::string> template_files(const config::Options& options);

// The same and, where describe.file names one, the file with a person's own descriptions.
std::vector<std::string> describe_files(const config::Options& options);

// The files of a PEFT folder that infer.adapter names; none where it names no folder.
std::vector<std::string> adapter_files(const config::Options& options);

// Throws as data_files does, about model.path; bad data where it is a file.
void require_model_folder(const std::string& folder);

// Where the hashes of large files are remembered: beside the quantised layers (model.cache), so
// that a model is read once for all runs; without a cache in `folder`.
std::string hash_memory(const config::Options& options, const std::string& folder);

// SHA-256 of the model folder's files that `use` covers, and of the compute mode for kWeights; ""
// for kNone. Throws as require_model_folder does.
std::string model_sha256(const config::Options& options, ModelUse use, io::FileHashes& hashes);

}  // namespace rallrec::pipeline
