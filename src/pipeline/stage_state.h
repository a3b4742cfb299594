#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "io/artifact_store.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

// Missing input: `path`, relative to the run folder, is not there. `reader` is what reads it; the
// message names the stage that writes it.
[[noreturn]] void throw_not_written(const std::string& run_dir, const std::string& path,
                                    const std::string& reader);

// "run_dir/<stage>/manifest.json".
std::string manifest_path(const std::string& run_dir, const Stage& stage);

// The manifest that a run of the stage would leave now, without outputs and figures. Throws Error
// (missing input) where a file that the stage reads is not there, and names the stage that writes
// it.
io::Manifest expected_manifest(const std::string& run_dir, const Stage& stage,
                               const config::Options& options, io::FileHashes& hashes);

// Records what the stage wrote. Throws Error where an output is missing.
void record_outputs(const std::string& run_dir, const Stage& stage, io::FileHashes& hashes,
                    io::Manifest& manifest);

// "" where `kept` matches `expected` and its outputs are unchanged on disk; else what differs, in a
// few words ("config changed", "tune/adapter/… changed").
std::string difference(const std::string& run_dir, const Stage& stage, const io::Manifest& kept,
                       const io::Manifest& expected, io::FileHashes& hashes);

// Throws Error (missing input) where a stage that `files` (relative to the run folder) come from,
// or one before it, was made of other files than the stages of this folder have written since; the
// message names both. Goes by the manifests, not by what is on disk. `reader` is what needs them.
void require_consistent(const std::string& run_dir, const std::vector<std::string>& files,
                        const std::string& reader);

}  // namespace rallrec::pipeline
