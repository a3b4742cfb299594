#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"
#include "models/llm/causal_lm.h"
#include "train/checkpoint.h"
#include "train/prompt_dataset.h"
#include "train/run_identity.h"
#include "train/schedule.h"
#include "train/stop_signals.h"
#include "train/training_log.h"

namespace rallrec::train {

// What a training run works with. References outlive the trainer.
struct TrainingRun {
  models::llm::CausalLm& model;
  models::llm::LoraAdapter& adapter;
  const PromptDataset& train;
  const PromptDataset* valid;  // null: no evaluation, the last step's adapter is the result
  distributed::Communicator& communicator;
  const config::TuneOptions& options;
  std::string folder;      // receives metrics.jsonl, checkpoints/, events.out.tfevents.*
  std::string base_model;  // named in adapter_config.json
  RunIdentity identity;
  StopSignals& signals;
};

enum class TrainingOutcome { kFinished, kCheckpointed };

// LoRA instruction tuning, data-parallel over ranks: the frozen model is asked for the gradient of
// each step, adapter and Adam are replicated. The loss log and the adapter have the same bits on 1,
// 2, 4 or 8 ranks and whether or not the run was interrupted.
//
// A step whose loss or gradient is not finite makes no update, on any rank; after
// kMaxSkippedInARow of them the run ends with kNonFinite. A loss or gradient norm that stands out
// from the steps before it (outlier_watch.h) is logged. Every kDigestEvery steps and at each
// checkpoint the replicas are compared; a difference ends the run with kDiverged.
class Trainer {
 public:
  static constexpr std::int64_t kMaxSkippedInARow = 3;
  static constexpr std::int64_t kDigestEvery = 50;
  static constexpr std::int64_t kMaxValidPrompts = 1000;
  static constexpr int kMaxCheckpointFailures = 3;

  explicit Trainer(const TrainingRun& run);
  ~Trainer();

  // Continues after the given checkpoint instead of from the start.
  void restore(const std::string& checkpoint);

  // Trains to the end of the schedule, to early stopping or to a stop request. Afterwards the
  // adapter holds the parameters with the lowest validation loss of the label word (without
  // validation: the last).
  // Collective.
  TrainingOutcome train();

  const TrainingState& state() const { return state_; }
  const Schedule& schedule() const { return schedule_; }
  // After `train`: updates with a positive learning rate made the adapter, so B cannot be zero.
  bool moved_the_adapter() const;

 private:
  struct Sinks;  // log, TensorBoard and progress: rank 0 only

  bool stopped_early() const;
  StepRecord run_step();
  void update(StepResult& step, StepRecord& record);
  void count_skipped_step(const StepResult& step);
  // Steps without an update are no measure for others and are left out.
  void look_for_outliers(StepRecord& record);
  void evaluate(StepRecord& record);
  // Whether any rank was asked to stop or to checkpoint: {stop, checkpoint}.
  std::pair<bool, bool> gather_requests();
  bool checkpoint_is_due() const;
  // With `must_succeed` the first failure ends the run, else the third in a row.
  void checkpoint(bool must_succeed);
  void save_on_rank_0();

  TrainingRun run_;
  Schedule schedule_;
  TrainingState state_;
  std::unique_ptr<Sinks> sinks_;
  std::int64_t checkpointed_step_ = -1;
  int checkpoint_failures_ = 0;
};

}  // namespace rallrec::train
