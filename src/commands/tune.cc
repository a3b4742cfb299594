#include "pipeline/tune.h"

#include <spdlog/spdlog.h>

#include <memory>

#include "commands/command_list.h"
#include "commands/stage_command.h"
#include "core/error.h"
#include "distributed/flight_marks.h"
#include "io/files.h"
#include "pipeline/run_lock.h"

namespace rallrec::commands {
namespace {

int tune_files(pipeline::TuneFiles files, CommandContext& context) {
  require_flag(files.model, "--model", "tune on your own files");
  require_flag(files.train, "--train", "tune on your own files");
  require_flag(files.output, "--output", "tune on your own files");
  files.signal_folder = files.output;
  files.resume = context.resume;
  distributed::keep_flight_in(files.output);
  std::unique_ptr<io::NewFolder> folder;
  std::unique_ptr<pipeline::RunLock> lock;
  if (context.communicator.rank() == 0) {
    folder = std::make_unique<io::NewFolder>(files.output);
    lock = std::make_unique<pipeline::RunLock>(files.output);
  }
  const pipeline::TuneResult result = pipeline::tune(files, context.options, context.communicator);
  const bool stopped = result.outcome == train::TrainingOutcome::kCheckpointed;
  if (stopped && context.communicator.rank() == 0) {
    spdlog::warn(
        "tune: stopped on request after a checkpoint at step {}; start the same command again to "
        "go on",
        result.steps);
  }
  return static_cast<int>(stopped ? ExitCode::kCheckpointed : ExitCode::kDone);
}

Runner define(CLI::App& app) {
  const auto files = std::make_shared<pipeline::TuneFiles>();
  std::vector<const CLI::Option*> flags = {
      app.add_option("--model", files->model, "Hugging Face folder of the model")->type_name("DIR"),
      app.add_option("--train", files->train,
                     "Prompts to train on: JSON Lines or a JSON array of "
                     "{\"input\", \"output\"} or {\"messages\"}")
          ->type_name("FILE"),
      app.add_option(
             "--valid", files->valid,
             "Prompts that choose the best adapter, up to 1,000 of them evenly spread; without "
             "them it is the last step's")
          ->type_name("FILE"),
      app.add_option("--output", files->output,
                     "Folder for adapter/, checkpoints/ and metrics.jsonl")
          ->type_name("DIR"),
      app.add_option("--trace", files->trace,
                     "Write when each layer was gathered, waited for and computed with, as a "
                     "Chrome trace (the first 20,000 spans of each rank)")
          ->type_name("FILE")};
  return stage_or_files(app, "tune", flags,
                        [files](CommandContext& context) { return tune_files(*files, context); });
}

}  // namespace

Command tune_command() {
  Command command;
  command.name = "tune";
  command.group = kStagesGroup;
  command.summary = "Train a LoRA adapter on prompts with Yes/No answers";
  command.description =
      "Trains LoRA matrices on the frozen model so that it answers the prompts as the file does, "
      "and "
      "writes them in the PEFT layout. Goes on from the newest checkpoint in the output folder; "
      "SIGUSR1 writes a checkpoint and ends with exit code 75, SIGUSR2 or a file checkpoint.now in "
      "the output folder writes one and goes on. Hyperparameters are the keys of [tune].";
  command.example =
      "mpirun -n 2 rallrec tune --model models/smollm2 --train train.jsonl --valid valid.jsonl "
      "--output runs/mine --set tune.epochs=3";
  command.define = define;
  command.uses_model = true;
  command.resumes = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
