#include "train/trainer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "core/error.h"
#include "core/finite.h"
#include "distributed/communicator.h"
#include "distributed/flight_marks.h"
#include "io/files.h"
#include "io/tensorboard_writer.h"
#include "logging/progress.h"
#include "train/gradient_clip.h"
#include "train/replica_digest.h"

namespace rallrec::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

struct Trainer::Sinks {
  Sinks(const std::string& folder, const Schedule& schedule, std::int64_t steps_done)
      : log(folder + "/metrics.jsonl", steps_done),
        board(folder),
        progress("tune", "steps", schedule.total_steps(), steps_done) {}

  void write(const StepRecord& record) {
    const bool had_failed = failed;
    failed = false;
    attempt([&] { log.append(record); }, had_failed);
    const auto scalar = [&](const char* tag, double value) {
      attempt([&] { board.add_scalar(tag, record.step, static_cast<float>(value)); }, had_failed);
    };
    scalar("train/loss", record.loss);
    scalar("train/label_word_loss", record.label_word_loss);
    scalar("train/grad_norm", record.grad_norm);
    scalar("train/learning_rate", record.learning_rate);
    if (record.valid) {
      scalar("valid/loss", record.valid->loss);
      scalar("valid/label_word_loss", record.valid->label_word_loss);
    }
    const double rate = static_cast<double>(record.tokens) / std::max(record.seconds, 1e-9);
    progress.advance(1, fmt::format("loss {:.4f}, {:.0f} tokens/s", record.loss, rate));
  }

  // A disk that is full now need not be at the next checkpoint, which is where it matters. What
  // could not be written is kept and goes first then.
  template <typename Write>
  void attempt(Write&& write, bool known) {
    try {
      write();
    } catch (const Error& error) {
      if (!failed && !known) {
        spdlog::warn("{}; training goes on, and what is missing is written later", error.what());
      }
      failed = true;
    }
  }

  TrainingLog log;
  io::TensorboardWriter board;
  logging::Progress progress;
  bool failed = false;
};

Trainer::Trainer(const TrainingRun& run) : run_(run), schedule_(run.options, run.train.size()) {
  state_.adam = Adam(run.adapter.flat().numel());
}

Trainer::~Trainer() = default;

void Trainer::restore(const std::string& checkpoint) {
  state_ = load_checkpoint(checkpoint, run_.identity, run_.model.config(), run_.adapter);
  if (state_.step > schedule_.total_steps()) {
    throw_bad_data(checkpoint, fmt::format("is of step {}, but this run has {} steps", state_.step,
                                           schedule_.total_steps()));
  }
  checkpointed_step_ = state_.step;
}

bool Trainer::moved_the_adapter() const {
  const std::int64_t idle = schedule_.learning_rate(0) > 0.0 ? 0 : 1;
  // Of the best parameters: those steps may all have come before them.
  const std::int64_t skipped = state_.step - state_.adam.steps();
  const std::int64_t steps = state_.best ? state_.best->step : state_.step;
  return run_.options.learning_rate > 0.0 && steps - skipped > idle;
}

TrainingOutcome Trainer::train() {
  if (run_.communicator.rank() == 0) {
    sinks_ = std::make_unique<Sinks>(run_.folder, schedule_, state_.step);
  }
  require_equal_replicas(run_.adapter, state_, run_.communicator);
  bool stop = false;
  while (!stop && state_.step < schedule_.total_steps() && !stopped_early()) {
    const StepRecord record = run_step();
    if (sinks_) {
      sinks_->write(record);
    }
    const auto [stop_requested, checkpoint_requested] = gather_requests();
    stop = stop_requested;
    if (state_.step % kDigestEvery == 0) {
      require_equal_replicas(run_.adapter, state_, run_.communicator);
    }
    if (checkpoint_requested && run_.communicator.rank() == 0) {
      spdlog::info("step {}: a checkpoint is written, as asked for", state_.step);
    }
    if (stop || checkpoint_requested || checkpoint_is_due()) {
      checkpoint(stop);
    }
  }
  distributed::mark_phase(distributed::Phase::kData);
  const bool finished = state_.step == schedule_.total_steps() || stopped_early();
  if (!finished) {
    run_.signals.obeyed();
    return TrainingOutcome::kCheckpointed;
  }
  if (sinks_) {
    sinks_->log.sync();
  }
  if (state_.best) {
    std::copy(state_.best->parameters.begin(), state_.best->parameters.end(),
              run_.adapter.flat().mutable_data_ptr<float>());
  }
  return TrainingOutcome::kFinished;
}

bool Trainer::stopped_early() const {
  return run_.options.patience > 0 && state_.epochs_without_improvement >= run_.options.patience;
}

StepRecord Trainer::run_step() {
  const Clock::time_point start = Clock::now();
  const std::int64_t index = state_.step;
  distributed::mark_step(index + 1);
  const models::llm::DropoutKey key = {static_cast<std::uint64_t>(run_.options.seed),
                                       static_cast<std::uint64_t>(schedule_.epoch_of(index))};
  StepResult step =
      run_training_step(run_.model, run_.adapter, run_.train, schedule_.prompts_of(index),
                        run_.options.token_budget, key, run_.communicator);
  StepRecord record;
  record.step = index + 1;
  record.epoch = static_cast<double>(index + 1) / static_cast<double>(schedule_.steps_per_epoch());
  record.loss = step.loss;
  record.label_word_loss = step.label_word_loss;
  record.learning_rate = schedule_.learning_rate(index);
  record.tokens = step.tokens;
  record.prompts = step.prompts;
  update(step, record);
  state_.step = index + 1;
  record.seconds = seconds_since(start);
  const bool last = state_.step == schedule_.total_steps();
  if (run_.valid != nullptr && (last || schedule_.ends_epoch(index))) {
    evaluate(record);
  }
  return record;
}

void Trainer::update(StepResult& step, StepRecord& record) {
  distributed::mark_phase(distributed::Phase::kUpdate);
  const auto count = static_cast<std::int64_t>(step.gradient.size());
  record.grad_norm = global_norm(step.gradient.data(), count);
  record.skipped = step.bad_prompt >= 0;
  if (record.skipped) {
    count_skipped_step(step);
    return;
  }
  state_.skipped_in_a_row = 0;
  clip_to_norm(step.gradient.data(), count, record.grad_norm, run_.options.max_grad_norm);
  float* const parameters = run_.adapter.flat().mutable_data_ptr<float>();
  state_.adam.step(parameters, step.gradient.data(), record.learning_rate);
  const auto finite = [&](const float* values) {
    return all_finite(values, static_cast<std::size_t>(count));
  };
  // The moments too: the square of a finite gradient may overflow.
  if (!finite(parameters) || !finite(state_.adam.first_moment().data()) ||
      !finite(state_.adam.second_moment().data())) {
    throw Error(ExitCode::kNonFinite,
                fmt::format("step {}: the adapter or its optimizer is not finite after the update; "
                            "lower tune.learning_rate",
                            state_.step + 1));
  }
  look_for_outliers(record);
}

void Trainer::look_for_outliers(StepRecord& record) {
  if (record.grad_norm == 0.0 && run_.communicator.rank() == 0) {
    spdlog::warn(
        "step {}: the gradient is exactly 0 and nothing is learnt; an adapter far too large does "
        "that, lower tune.learning_rate",
        record.step);
  }
  record.loss_z = state_.losses.outlier(record.loss);
  record.grad_norm_z = state_.grad_norms.outlier(record.grad_norm);
  const auto warn = [&](const char* what, double value, const std::optional<double>& z) {
    if (z && run_.communicator.rank() == 0) {
      spdlog::warn("step {}: {} of {:.4g} is an outlier, z = {:.1f} against the steps before it",
                   record.step, what, value, *z);
    }
  };
  warn("a loss", record.loss, record.loss_z);
  warn("a gradient norm", record.grad_norm, record.grad_norm_z);
}

void Trainer::count_skipped_step(const StepResult& step) {
  const std::string message = fmt::format("step {}: loss or gradient is not finite (first at {})",
                                          state_.step + 1, run_.train.name_of(step.bad_prompt));
  if (++state_.skipped_in_a_row >= kMaxSkippedInARow) {
    throw Error(
        ExitCode::kNonFinite,
        fmt::format("{}, {} steps in a row; lower tune.learning_rate or look at that prompt",
                    message, state_.skipped_in_a_row));
  }
  if (run_.communicator.rank() == 0) {
    spdlog::warn("{}; no update is made", message);
  }
}

void Trainer::evaluate(StepRecord& record) {
  const distributed::PhaseScope scope(distributed::Phase::kEvaluation);
  record.valid = evaluate_prompts(run_.model, &run_.adapter, *run_.valid, kMaxValidPrompts,
                                  run_.options.token_budget, run_.communicator);
  const double loss = record.valid->label_word_loss;
  if (run_.communicator.rank() == 0) {
    spdlog::info("step {}: valid label-word loss {:.4f}, loss {:.4f} on {} prompts", record.step,
                 loss, record.valid->loss, record.valid->prompts);
  }
  if (std::isfinite(loss) && (!state_.best || loss < state_.best->loss)) {
    const float* parameters = run_.adapter.flat().const_data_ptr<float>();
    state_.best =
        BestSoFar{loss, record.step, {parameters, parameters + run_.adapter.flat().numel()}};
    state_.epochs_without_improvement = 0;
  } else {
    ++state_.epochs_without_improvement;
  }
}

std::pair<bool, bool> Trainer::gather_requests() {
  std::array<std::int32_t, 2> flags = {run_.signals.stop_requested() ? 1 : 0,
                                       run_.signals.take_checkpoint_request() ? 1 : 0};
  run_.communicator.all_reduce(flags.data(), flags.size(), distributed::DType::kInt32,
                               distributed::ReduceOp::kMax);
  return {flags[0] != 0, flags[1] != 0};
}

bool Trainer::checkpoint_is_due() const {
  const bool by_count = run_.options.checkpoint_every > 0
                            ? state_.step % run_.options.checkpoint_every == 0
                            : schedule_.ends_epoch(state_.step - 1);
  return by_count || state_.step == schedule_.total_steps() || stopped_early();
}

void Trainer::checkpoint(bool must_succeed) {
  if (checkpointed_step_ == state_.step) {
    return;
  }
  const distributed::PhaseScope scope(distributed::Phase::kCheckpoint);
  require_equal_replicas(run_.adapter, state_, run_.communicator);
  std::string failure;
  if (run_.communicator.rank() == 0) {
    try {
      save_on_rank_0();
    } catch (const Error& error) {
      failure = error.what();
    }
  }
  failure = distributed::broadcast_string(run_.communicator, failure, 0);
  if (failure.empty()) {
    checkpointed_step_ = state_.step;
    checkpoint_failures_ = 0;
    return;
  }
  if (++checkpoint_failures_ >= kMaxCheckpointFailures || must_succeed) {
    throw Error(ExitCode::kIo, "no checkpoint could be written: " + failure);
  }
  if (run_.communicator.rank() == 0) {
    spdlog::warn("step {}: no checkpoint ({}); training goes on", state_.step, failure);
  }
}

void Trainer::save_on_rank_0() {
  const std::string folder = run_.folder + "/checkpoints";
  sinks_->log.sync();
  io::make_directories(folder);
  save_checkpoint(folder, run_.adapter, state_, run_.identity,
                  {run_.base_model, run_.model.config().layers, run_.communicator.size()});
  prune_checkpoints(folder, run_.options.keep_checkpoints);
}

}  // namespace rallrec::train
