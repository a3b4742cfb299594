#include "pipeline/stage_store.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "pipeline/stage_state.h"

namespace rallrec::pipeline {
namespace {

namespace fs = std::filesystem;

void remove_whole(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) {
    throw_io(path.string(), "removing", error.value());
  }
}

// The same file under a second name; a copy where the file system has no links. `to` is not there.
void share_file(const std::string& from, const std::string& to) {
  io::make_directories(io::folder_of(to));
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (error) {
    error.clear();
    fs::copy_file(from, to, error);
  }
  if (error) {
    throw_io(to, "sharing " + from, error.value());
  }
}

void share_files(const std::vector<io::FileRecord>& files, const std::string& from,
                 const std::string& to) {
  for (const io::FileRecord& file : files) {
    share_file(from + "/" + file.path, to + "/" + file.path);
    io::sync_folder(io::folder_of(to + "/" + file.path));
  }
}

bool is_whole(const std::vector<io::FileRecord>& files, const std::string& folder,
              io::FileHashes& hashes) {
  for (const io::FileRecord& file : files) {
    const std::string path = folder + "/" + file.path;
    if (!io::file_exists(path) || hashes.record(path, file.path).sha256 != file.sha256) {
      return false;
    }
  }
  return true;
}

// What the stage has left of other settings, or of an interrupted start.
void clear_stage(const std::string& run_dir, const Stage& stage) {
  const std::string folder = run_dir + "/" + stage.name;
  io::make_directories(folder);
  io::remove_temporary_files(folder);
  remove_whole(manifest_path(run_dir, stage));
  remove_whole(folder + "/started.key");
  if (stage.clear != nullptr) {
    stage.clear(folder);
  }
  for (const auto* paths : {&stage.outputs, &stage.optional_outputs}) {
    for (const std::string& path : *paths) {
      remove_whole(run_dir + "/" + path);
    }
  }
}

}  // namespace

std::optional<io::Manifest> StageStore::take(const std::string& run_dir, const Stage& stage,
                                             const io::Manifest& expected,
                                             io::FileHashes& hashes) const {
  const std::string place = place_of(expected);
  const std::optional<io::Manifest> stored = io::read_manifest(place + "/manifest.json");
  if (!stored) {
    return std::nullopt;
  }
  if (!is_whole(stored->outputs, place, hashes)) {
    spdlog::warn("{}: was changed since it was made, and is removed", place);
    remove_whole(place);
    return std::nullopt;
  }
  clear_stage(run_dir, stage);
  share_files(stored->outputs, place, run_dir);
  io::write_manifest(manifest_path(run_dir, stage), *stored);
  return stored;
}

void StageStore::put(const std::string& run_dir, const io::Manifest& made) const {
  const std::string place = place_of(made);
  if (io::file_exists(place)) {
    return;
  }
  remove_whole(place + ".tmp");  // of a start that was killed
  const io::TemporaryFolder filled(place + ".tmp");
  share_files(made.outputs, run_dir, filled.path());
  io::write_file_atomically(filled.path() + "/made_in", name_of_run(run_dir) + "\n");
  io::write_manifest(filled.path() + "/manifest.json", made);
  io::rename_folder(filled.path(), place);
  io::sync_folder(io::folder_of(place));
}

bool StageStore::made_elsewhere(const std::string& run_dir, const io::Manifest& manifest) const {
  const std::string maker = place_of(manifest) + "/made_in";
  return io::file_exists(maker) && io::read_file(maker) != name_of_run(run_dir) + "\n";
}

std::string StageStore::place_of(const io::Manifest& manifest) const {
  return folder_ + "/" + manifest.stage + "/" + io::key_of(manifest);
}

// Relative, so that the experiment's folder can be moved.
std::string StageStore::name_of_run(const std::string& run_dir) const {
  return fs::absolute(run_dir)
      .lexically_normal()
      .lexically_relative(fs::absolute(folder_).lexically_normal())
      .string();
}

}  // namespace rallrec::pipeline
