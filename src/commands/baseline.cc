#include "pipeline/baseline.h"

#include <algorithm>
#include <memory>

#include "commands/command_list.h"
#include "commands/stage_command.h"
#include "config/did_you_mean.h"
#include "core/error.h"
#include "distributed/flight_marks.h"
#include "models/ctr/ctr_model.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::string model;
  data::CtrFiles files;
  std::string output;
  bool force = false;
};

// Before anything is read.
void require_model(const std::string& model) {
  const auto& names = models::ctr::ctr_model_names();
  if (std::find(names.begin(), names.end(), model) == names.end()) {
    throw_usage((model.empty() ? "--model is required" : "--model " + model) +
                ": expected deep_fm, x_deep_fm, dcn or auto_int" +
                (model.empty() ? "" : config::did_you_mean(model, names)));
  }
}

int run_on_files(const Flags& flags, CommandContext& context) {
  require_flag(flags.files.train, "--train", "your own files");
  require_flag(flags.files.valid, "--valid", "--train");
  require_flag(flags.files.test, "--test", "--train");
  require_flag(flags.output, "--output", "--train");
  distributed::keep_flight_in(flags.output);
  pipeline::baseline_on_files(flags.model, flags.files, flags.output, context.options,
                              context.communicator);
  return 0;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  const auto file = [&app](const char* flag, std::string& target, const char* help) {
    return app.add_option(flag, target, help)->type_name("FILE");
  };
  app.add_option("--model", flags->model, "deep_fm, x_deep_fm, dcn or auto_int [baseline.model]")
      ->type_name("MODEL");
  const std::vector<const CLI::Option*> file_flags = {
      file("--train", flags->files.train,
           "RecBole .inter file with user_id, item_id and label (0 or 1)"),
      file("--valid", flags->files.valid, "The same; its AUC chooses the epoch"),
      file("--test", flags->files.test, "The same; what is scored"),
      file("--users", flags->files.users, ".user file; every column is a feature [user_id alone]"),
      file("--items", flags->files.items, ".item file; every column is a feature [item_id alone]"),
      app.add_option("--output", flags->output, "Folder for the results")->type_name("DIR")};
  app.add_flag("--force", flags->force, "In a run folder: run it even where it is up to date");
  return [flags, file_flags](CommandContext& context) {
    if (flags->model.empty() && !context.config_file.empty()) {
      flags->model = context.options.baseline.model;
    }
    require_model(flags->model);
    if (any_given(file_flags)) {
      return run_on_files(*flags, context);
    }
    require_config(context, file_flags);
    return run_one_stage(pipeline::baseline_table(), "baseline/" + flags->model, flags->force,
                         context);
  };
}

}  // namespace

Command baseline_command() {
  Command command;
  command.name = "baseline";
  command.group = kStagesGroup;
  command.summary = "DeepFM, xDeepFM, DCN or AutoInt on the same split";
  command.description =
      "Trains one of the id-feature models that the paper compares with and scores the test "
      "samples. On your own files it writes scores.jsonl (label, score, user, item and, "
      "where there is one, timestamp per line of the test file, in its order) and metrics.json. "
      "Features are user_id, item_id and every other column "
      "of the two side files: token, token_seq and float_seq as means, float standardised; values "
      "that no training sample has share one embedding per field. In a run folder results go to "
      "baseline/<model>/. Settings are the keys of section [baseline].";
  command.example =
      "rallrec baseline --model deep_fm --train train.inter --valid valid.inter --test test.inter "
      "--users my.user --items my.item --output deep_fm/";
  command.define = define;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
