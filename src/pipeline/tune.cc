#include "pipeline/tune.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "core/error.h"
#include "core/process_memory.h"
#include "distributed/joint_error.h"
#include "io/artifact_store.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/hash.h"
#include "models/llm/causal_lm.h"
#include "models/llm/layer_trace.h"
#include "pipeline/external_inputs.h"
#include "pipeline/load_model.h"
#include "pipeline/lora_options.h"
#include "pipeline/preflight.h"
#include "pipeline/prompt_text.h"
#include "train/peft_adapter.h"
#include "train/prompt_reader.h"
#include "train/tune_state.h"

namespace rallrec::pipeline {
namespace {

using train::PromptDataset;
using train::RunIdentity;
using train::TuneState;

// What rank 0 found in the output folder, told to all.
struct Start {
  RunIdentity identity;
  std::string checkpoint;      // to go on from; empty: the beginning
  std::int64_t ended_at = -1;  // steps of a run that has ended
};

RunIdentity identity_of(const TuneFiles& files, const config::Options& options) {
  io::FileHashes hashes(hash_memory(options, files.output));
  config::Options with_model = options;
  with_model.model.path = files.model;
  std::vector<std::string> data = {files.train};
  if (!files.valid.empty()) {
    data.push_back(files.valid);
  }
  const std::string deciding = train::deciding_options(options);
  const RunIdentity identity = {io::sha256_hex(deciding), train::hash_of_files(data),
                                model_sha256(with_model, ModelUse::kWeights, hashes), deciding};
  hashes.save();
  return identity;
}

// The checkpoint that --resume means.
std::string checkpoint_for(const TuneFiles& files) {
  if (files.resume == "auto") {
    return train::newest_checkpoint(files.output + "/checkpoints");
  }
  if (!io::is_folder(files.resume)) {
    throw_missing(files.resume,
                  "no such checkpoint; --resume takes auto, never or a folder "
                  "checkpoints/step-<n>");
  }
  train::verify_checkpoint(files.resume);
  return files.resume;
}

Start prepare_folder(const TuneFiles& files, const config::Options& options) {
  Start start;
  io::make_directories(files.output);
  start.identity = identity_of(files, options);
  if (files.resume == "never") {
    return start;
  }
  const std::optional<TuneState> found = train::read_tune_state(files.output);
  if (found) {
    train::require_same_identity(found->identity, start.identity, files.output);
    if (files.resume == "auto" && train::is_finished(files.output, *found)) {
      start.ended_at = found->steps;
      return start;
    }
  }
  start.checkpoint = checkpoint_for(files);
  return start;
}

Start agree_on_start(const TuneFiles& files, const config::Options& options,
                     distributed::Communicator& communicator) {
  Start start;
  distributed::run_on_rank_0(communicator, [&] { start = prepare_folder(files, options); });
  const auto share = [&](const std::string& text) {
    return distributed::broadcast_string(communicator, text, 0);
  };
  start.checkpoint = share(start.checkpoint);
  start.identity = {share(start.identity.config), share(start.identity.data),
                    share(start.identity.model), share(start.identity.options)};
  communicator.broadcast(&start.ended_at, 1, distributed::DType::kInt64, 0);
  return start;
}

void publish(const TuneFiles& files, const train::Trainer& trainer, const RunIdentity& identity,
             const models::llm::LoraAdapter& adapter, std::int64_t layers) {
  const std::string folder = files.output + "/adapter";
  train::publish_peft_adapter(folder, adapter, layers, files.model, trainer.moved_the_adapter());
  const auto& best = trainer.state().best;
  train::write_trainer_state(files.output, trainer.schedule().total_steps(),
                             best ? std::optional<double>(best->loss) : std::nullopt);
  train::write_tune_state(files.output,
                          {identity, true, trainer.state().step,
                           io::sha256_of_file(folder + "/adapter_model.safetensors")});
  if (best) {
    spdlog::info("adapter of step {} (valid label-word loss {:.4f}) is in {}", best->step,
                 best->loss, folder);
  } else {
    spdlog::info("adapter of step {} is in {}", trainer.state().step, folder);
  }
}

struct Prompts {
  PromptDataset train;
  std::optional<PromptDataset> valid;
};

// With refcompat.right_truncation a prompt over the cutoff has no answer left.
void require_an_answer(const PromptDataset& prompts, const std::string& file) {
  for (std::int64_t i = 0; i < prompts.size(); ++i) {
    if (prompts.size_of(i).labels > 0) {
      return;
    }
  }
  throw_usage(file + ": all prompts are over prompt.cutoff and lose their answers; raise it");
}

Prompts read_all_prompts(const TuneFiles& files, const config::Options& options,
                         distributed::Communicator& communicator) {
  const PromptText text(files.model, options);
  Prompts prompts{train::read_prompts(files.train, text.training_encoder(),
                                      options.data.max_bad_rows, communicator),
                  {}};
  require_an_answer(prompts.train, files.train);
  if (!files.valid.empty()) {
    prompts.valid =
        train::read_prompts(files.valid, text.encoder(train::PromptEncoder::Answer::kRequired),
                            options.data.max_bad_rows, communicator);
  }
  return prompts;
}

void announce(const PromptDataset& dataset, const PromptDataset* valid,
              const models::llm::CausalLm& model, const models::llm::LoraAdapter& adapter,
              const train::Trainer& trainer) {
  spdlog::info("{} prompts, {} tokens; {} steps of which {} are done; {} LoRA parameters on {}",
               dataset.size(), dataset.tokens(), trainer.schedule().total_steps(),
               trainer.state().step, adapter.flat().numel(), model.quant());
  if (valid != nullptr && valid->size() > train::Trainer::kMaxValidPrompts) {
    spdlog::info("valid: {} of {} prompts, evenly spread, are looked at after each epoch",
                 train::Trainer::kMaxValidPrompts, valid->size());
  }
  const train::Schedule& schedule = trainer.schedule();
  if (schedule.warmup_steps() >= schedule.total_steps()) {
    spdlog::warn(
        "tune.warmup_steps = {} is not below the {} steps of this run: the learning rate ends at "
        "{:.2g} and never reaches tune.learning_rate",
        schedule.warmup_steps(), schedule.total_steps(),
        schedule.learning_rate(schedule.total_steps() - 1));
  }
}

void tell_traffic(const models::llm::CausalLm& model,
                  const distributed::Communicator& communicator) {
  const models::llm::GatherStatistics gathered = model.gathered();
  if (communicator.rank() == 0 && gathered.layers > 0) {
    spdlog::info(
        "gathered from other ranks over the run: {} times a layer, {:.1f} MB, {:.1f} s waited for",
        gathered.layers, static_cast<double>(gathered.bytes) * 1e-6, gathered.waited_seconds);
  }
}

// Of the rank that takes most; `before` is what this one held before the model.
void tell_memory(std::int64_t before, distributed::Communicator& communicator) {
  std::int64_t bytes[] = {peak_resident_bytes(), before};
  communicator.all_reduce(bytes, 2, distributed::DType::kInt64, distributed::ReduceOp::kMax);
  if (communicator.rank() == 0) {
    spdlog::info("at most {:.1f} MB of memory per rank, of which {:.1f} MB before the model",
                 static_cast<double>(bytes[0]) * 1e-6, static_cast<double>(bytes[1]) * 1e-6);
  }
}

void write_trace(const std::string& path, const models::llm::LayerTrace& trace,
                 distributed::Communicator& communicator) {
  const auto events = distributed::all_gather_strings(communicator, trace.events());
  if (communicator.rank() == 0) {
    io::write_file_atomically(path, models::llm::trace_file_text(events));
    spdlog::info("{}: the trace of the layers; open it with ui.perfetto.dev or chrome://tracing",
                 path);
  }
}

// Only when the weights have been read: what cannot be read leaves an earlier run as it was.
void clear_where_asked(const TuneFiles& files, distributed::Communicator& communicator) {
  distributed::run_on_rank_0(communicator, [&] {
    if (files.resume == "never") {
      train::clear_tune_folder(files.output);
    }
  });
}

// Sets outcome and steps of `result`.
void train_and_publish(const TuneFiles& files, const config::Options& options, const Start& start,
                       const Prompts& prompts, distributed::Communicator& communicator,
                       train::StopSignals& signals, TuneResult& result) {
  const std::int64_t before = resident_bytes();
  models::llm::LayerTrace trace(communicator.rank());
  const auto model = load_model(files.model, options.model.quant, options, communicator,
                                files.trace.empty() ? nullptr : &trace);
  model->set_kept_bytes(options.tune.memory_budget << 20);
  clear_where_asked(files, communicator);
  models::llm::LoraAdapter adapter(model->config(), lora_options(options.tune),
                                   static_cast<std::uint64_t>(options.tune.seed));
  train::Trainer trainer({*model, adapter, prompts.train, prompts.valid ? &*prompts.valid : nullptr,
                          communicator, options.tune, files.output, files.model, start.identity,
                          signals});
  if (!start.checkpoint.empty()) {
    trainer.restore(start.checkpoint);
  }
  if (communicator.rank() == 0) {
    train::write_tune_state(files.output, {start.identity, false, 0, ""});
    announce(prompts.train, prompts.valid ? &*prompts.valid : nullptr, *model, adapter, trainer);
  }
  result.outcome = trainer.train();
  if (!files.trace.empty()) {
    write_trace(files.trace, trace, communicator);
  }
  tell_traffic(*model, communicator);
  tell_memory(before, communicator);
  result.steps = trainer.state().step;
  if (result.outcome == train::TrainingOutcome::kFinished && communicator.rank() == 0) {
    publish(files, trainer, start.identity, adapter, model->config().layers);
  }
  communicator.barrier();
}

void check_inputs(const TuneFiles& files, const config::Options& options) {
  io::require_plain_file(files.train);
  if (!files.valid.empty()) {
    io::require_plain_file(files.valid);
  }
  check_model_folder(files.model, ModelUse::kWeights, options.model.quant);
}

}  // namespace

TuneResult tune(const TuneFiles& files, const config::Options& options,
                distributed::Communicator& communicator) {
  train::StopSignals signals(files.signal_folder);
  // Before the folder is claimed or cleared: what cannot be read leaves it as it was.
  check_inputs(files, options);
  if (!files.trace.empty()) {
    io::require_place_for(files.trace, {files.train, files.valid});
  }
  const Prompts prompts = read_all_prompts(files, options, communicator);
  const Start start = agree_on_start(files, options, communicator);
  TuneResult result;
  result.steps = start.ended_at;
  result.train_prompts = prompts.train.size();
  result.train_tokens = prompts.train.tokens();
  if (start.ended_at < 0) {
    train_and_publish(files, options, start, prompts, communicator, signals, result);
  } else if (communicator.rank() == 0) {
    spdlog::info(
        "{}: this run ended after {} steps, its adapter is in {}/adapter; to train anew, give "
        "`--resume never`",
        files.output, start.ended_at, files.output);
  }
  return result;
}

void run_tune(StageContext& context) {
  const std::string prompts = context.run_dir + "/prompt/";
  TuneFiles files;
  files.model = context.options.model.path;
  files.train = prompts + "train.jsonl";
  files.valid = prompts + context.options.tune.select_on + ".jsonl";
  if (!io::file_exists(files.valid) || std::filesystem::file_size(files.valid) == 0) {
    files.valid.clear();  // a data set too small for a valid split
  }
  files.output = context.run_dir + "/tune";
  files.signal_folder = context.run_dir;
  files.resume = context.resume;
  const TuneResult result = tune(files, context.options, context.communicator);
  if (result.outcome == train::TrainingOutcome::kCheckpointed) {
    throw Error(ExitCode::kCheckpointed, "stopped on request after a checkpoint at step " +
                                             std::to_string(result.steps) +
                                             "; start the same command again to go on");
  }
  context.report.add("steps", result.steps);
  context.report.add("prompts", result.train_prompts);
  context.report.add("tokens", result.train_tokens);
}

}  // namespace rallrec::pipeline
