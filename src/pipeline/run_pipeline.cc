#include "pipeline/run_pipeline.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "core/check.h"
#include "core/parallel_for.h"
#include "distributed/flight_marks.h"
#include "distributed/joint_error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "logging/log.h"
#include "pipeline/external_inputs.h"
#include "pipeline/run_folder.h"
#include "pipeline/run_lock.h"
#include "pipeline/stage_state.h"
#include "pipeline/stage_table.h"

namespace rallrec::pipeline {
namespace {

// What rank 0 tells the others about a stage.
constexpr const char* kKeep = "keep";

// Takes one stage after the other through: decide, run, record.
class Runner {
 public:
  Runner(const RunRequest& request, const config::Options& options,
         distributed::Communicator& communicator)
      : request_(request),
        options_(options),
        communicator_(communicator),
        hashes_(hash_memory(
            options, request.store == nullptr ? request.run_dir : request.store->folder())) {}

  StageOutcome take(const Stage& stage) {
    std::string decision;
    distributed::run_on_rank_0(communicator_, [&] { decision = decide(stage); });
    decision = distributed::broadcast_string(communicator_, decision, 0);
    if (decision == kKeep) {
      return outcome(true);
    }
    run(stage, decision);
    return outcome(false);
  }

 private:
  // On rank 0: kKeep, or the resume mode to run the stage with. Sets manifest_.
  std::string decide(const Stage& stage) {
    manifest_ = expected_manifest(request_.run_dir, stage, options_, hashes_);
    const auto kept = io::read_manifest(manifest_path(request_.run_dir, stage));
    std::string reason = "there is no complete result";
    if (kept) {
      reason = difference(request_.run_dir, stage, *kept, manifest_, hashes_);
      reason = reason.empty() && request_.force ? "--force" : reason;
    }
    hashes_.save();
    if (reason.empty()) {
      manifest_ = *kept;
      remember();
      spdlog::info("{}: up to date", stage.name);
      return kKeep;
    }
    if (take_stored(stage)) {
      return kKeep;
    }
    spdlog::info("{}: running ({})", stage.name, reason);
    return begin(stage, kept.has_value());
  }

  // Whether another run has made what manifest_ asks for; it is then in this run too.
  bool take_stored(const Stage& stage) {
    if (request_.store == nullptr || request_.force) {
      return false;
    }
    const auto stored = request_.store->take(request_.run_dir, stage, manifest_, hashes_);
    if (stored) {
      manifest_ = *stored;
      spdlog::info("{}: shared, made by another run in {:.1f} s", stage.name, manifest_.seconds);
    }
    return stored.has_value();
  }

  // Keeps the result of manifest_ for other runs.
  void remember() {
    if (request_.store != nullptr) {
      request_.store->put(request_.run_dir, manifest_);
    }
  }

  // Marks the stage as under way. A stage that was interrupted may go on from its checkpoints; one
  // that `was_complete` or whose config or inputs are not those of its checkpoints may not. Those
  // are removed before the mark changes, so that a kill in between loses nothing but the choice.
  std::string begin(const Stage& stage, bool was_complete) {
    const std::string folder = request_.run_dir + "/" + stage.name;
    io::make_directories(folder);
    io::remove_temporary_files(folder);
    const std::string marker = folder + "/started.key";
    const std::string key = io::key_of(manifest_);
    const bool begun = io::file_exists(marker);
    const bool same = begun && io::read_file(marker) == key && !was_complete;
    const bool anew =
        request_.force || request_.resume == "never" || (request_.resume == "auto" && !same);
    if (anew && stage.clear != nullptr) {
      if (begun && !was_complete && !same) {
        spdlog::warn(
            "{}: what an interrupted run with other settings, inputs or code left is removed",
            stage.name);
      }
      stage.clear(folder);
    }
    std::remove(manifest_path(request_.run_dir, stage).c_str());
    io::write_file_atomically(marker, key);
    return anew ? "never" : request_.resume;
  }

  void run(const Stage& stage, const std::string& resume) {
    RALLREC_CHECK(stage.run != nullptr, "stage " + stage.name + " is not part of this build");
    StageContext context{options_, communicator_, request_.run_dir, resume};
    distributed::mark_stage(stage.name);
    const auto start = std::chrono::steady_clock::now();
    stage.run(context);
    distributed::mark_phase(distributed::Phase::kData);
    communicator_.barrier();
    manifest_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    manifest_.ranks = communicator_.size();
    manifest_.threads = thread_count();
    manifest_.stage = stage.name;
    manifest_.figures = context.report.figures();
    distributed::run_on_rank_0(communicator_, [&] {
      record_outputs(request_.run_dir, stage, hashes_, manifest_);
      io::write_manifest(manifest_path(request_.run_dir, stage), manifest_);
      hashes_.save();
      remember();
      spdlog::info("{}: done in {:.1f} s", stage.name, manifest_.seconds);
    });
  }

  StageOutcome outcome(bool kept) const {
    const bool shared = kept && request_.store != nullptr && communicator_.rank() == 0 &&
                        request_.store->made_elsewhere(request_.run_dir, manifest_);
    return {manifest_.stage,   kept,  manifest_.seconds, manifest_.ranks, manifest_.threads,
            manifest_.figures, shared};
  }

  const RunRequest& request_;
  const config::Options& options_;
  distributed::Communicator& communicator_;
  io::FileHashes hashes_;
  io::Manifest manifest_;
};

}  // namespace

std::vector<StageOutcome> run_pipeline(const RunRequest& request, const config::Options& options,
                                       distributed::Communicator& communicator,
                                       const std::vector<Stage>& table) {
  const std::vector<Stage> stages = select_stages(table, request.stages, options);
  std::unique_ptr<RunLock> lock;
  distributed::run_on_rank_0(communicator, [&] {
    io::make_directories(request.run_dir);
    lock = std::make_unique<RunLock>(request.run_dir);
  });
  logging::log_to_folder(request.run_dir);
  distributed::keep_flight_in(request.run_dir);
  describe_run(request.run_dir, options, communicator);
  Runner runner(request, options, communicator);
  std::vector<StageOutcome> outcomes;
  for (const Stage& stage : stages) {
    outcomes.push_back(runner.take(stage));
  }
  return outcomes;
}

}  // namespace rallrec::pipeline
