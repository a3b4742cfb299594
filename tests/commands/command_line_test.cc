#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "commands/command.h"
#include "pipeline/build_info.h"
#include "pipeline/stage_table.h"
#include "tests/commands/program.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::testing {
namespace {

void expect_failure(const std::vector<std::string>& arguments, int code, const std::string& text) {
  const Outcome outcome = rallrec(arguments);
  EXPECT_EQ(outcome.code, code) << outcome.err;
  EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
  EXPECT_LE(lines_in(outcome.err), 5) << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

TEST(CommandLine, HelpListsEveryCommandInItsGroup) {
  const Outcome outcome = rallrec({"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const commands::Command& command : commands::command_table()) {
    EXPECT_NE(outcome.out.find("\n  " + command.name + " "), std::string::npos) << command.name;
    EXPECT_NE(outcome.out.find(command.summary), std::string::npos) << command.name;
    EXPECT_NE(outcome.out.find(std::string(command.group) + ":"), std::string::npos);
  }
}

TEST(CommandLine, EveryCommandExplainsItself) {
  for (const commands::Command& command : commands::command_table()) {
    const Outcome outcome = rallrec({command.name, "--help"});
    EXPECT_EQ(outcome.code, 0) << command.name;
    EXPECT_NE(outcome.out.find(command.example), std::string::npos) << command.name;
    EXPECT_NE(outcome.out.find("Usage: rallrec " + command.name), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("--set"), std::string::npos) << command.name;
    EXPECT_GT(command.description.size(), 80U) << command.name;
    EXPECT_NE(command.example.find("rallrec " + command.name), std::string::npos) << command.name;
  }
}

TEST(CommandLine, EveryStageIsACommand) {
  for (const pipeline::Stage& stage : pipeline::stage_table()) {
    const auto& commands = commands::command_table();
    const auto named = [&stage](const commands::Command& command) {
      return command.name == stage.name;
    };
    EXPECT_EQ(std::count_if(commands.begin(), commands.end(), named), 1) << stage.name;
  }
}

TEST(CommandLine, VersionNamesLibtorch) {
  const Outcome outcome = rallrec({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("libtorch 2.11.0"), std::string::npos) << outcome.out;
}

TEST(CommandLine, WrongUseIsExplainedInALineOrTwo) {
  expect_failure({}, 64, "describe, ");
  expect_failure({}, 64, "rallrec --help");
  expect_failure({"ingst"}, 64, "unknown command 'ingst'; did you mean 'ingest'?");
  expect_failure({"run", "--bogus"}, 64, "--bogus");
  expect_failure({"tune", "--modle", "m"}, 64,
                 "unknown flag --modle; did you mean '--model'?; see `rallrec tune --help`");
  expect_failure({"tune", "here"}, 64, "unexpected word 'here'");
  expect_failure({"tune", "--model", "a", "--model", "b"}, 64, "--model is given more than once");
  expect_failure({"run"}, 64, "rallrec run: --config FILE is required");
  expect_failure({"ingest"}, 64, "rallrec ingest: give --config FILE");
  expect_failure({"run", "--config"}, 64, "--config");
  expect_failure({"config", "hide"}, 64, "hide");
  expect_failure({"config", "show", "--threads", "many"}, 64, "must be an integer");
  expect_failure({"config", "show", "--threads", "-1"}, 64, "must be from 0");
  expect_failure({"config", "show", "--set", "tune.epoch=1"}, 64, "did you mean 'tune.epochs'?");
  expect_failure({"config", "show", "--quant", "int3"}, 64,
                 "--quant: 'model.quant' must be one of");
  expect_failure({"config", "show", "--device", "cuda"}, 64,
                 pipeline::build_info().cuda ? "use --device cpu" : "this build has no CUDA");
}

TEST(CommandLine, AMissingConfigIsMissingInput) {
  expect_failure({"run", "--config", "no/such.toml"}, 66, "rallrec run: no/such.toml:");
}

TEST(CommandLine, AMissingDataSetIsMissingInputAndLeavesNoLock) {
  const TemporaryFolder folder;
  const std::string config = folder.put("a.toml", "[data]\npath = '" + folder.file("none") + "'\n");
  expect_failure({"run", "--config", config, "--run-dir", folder.file("run"), "--quiet"}, 66,
                 "data.path");
  EXPECT_EQ(folder.get("run/run.lock"), "");
}

TEST(CommandLine, AnUnknownStageIsWrongUse) {
  const TemporaryFolder folder;
  const std::string config = folder.put("a.toml", "mode = 'clean'\n");
  expect_failure(
      {"run", "--config", config, "--run-dir", folder.file("run"), "--stages", "ingest,prompts"},
      64, "no stage is called 'prompts'; did you mean 'prompt'?");
}

TEST(ConfigShow, PrintsValuesWithTheirOrigins) {
  const TemporaryFolder folder;
  const std::string config = folder.put("small.toml", "[tune]\nepochs = 2\nseed = 5\n");
  const Outcome outcome = rallrec({"config", "show", "--config", config, "--threads", "1", "--set",
                                   "tune.seed=6", "--set", "prompt.k=3"},
                                  {"RALLREC_INFER__TOKEN_BUDGET=99"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("[" + config + ":2:1]"), std::string::npos);
  EXPECT_NE(outcome.out.find("seed = 6 "), std::string::npos);
  EXPECT_NE(outcome.out.find("k = 3 "), std::string::npos);
  EXPECT_NE(outcome.out.find("threads = 1 "), std::string::npos);
  EXPECT_NE(outcome.out.find("[environment RALLREC_INFER__TOKEN_BUDGET]"), std::string::npos);
  EXPECT_NE(outcome.out.find("run_dir = \"runs/small\""), std::string::npos);
}

TEST(CommandLine, AFullDiskIsAnIoError) {
  const Outcome outcome =
      run_program({"sh", "-c", std::string(RALLREC_BINARY) + " config show > /dev/full"});
  EXPECT_EQ(outcome.code, 74);
  EXPECT_NE(outcome.err.find("standard output"), std::string::npos) << outcome.err;
}

TEST(CommandLine, HelpToAFullDiskIsAnIoError) {
  for (const char* words : {" --help", " tune --help", " --version"}) {
    const Outcome outcome =
        run_program({"sh", "-c", RALLREC_BINARY + std::string(words) + " > /dev/full"});
    EXPECT_EQ(outcome.code, 74) << words;
  }
}

TEST(CommandLine, WhatARunWillReadIsLookedAtBeforeItStarts) {
  const TemporaryFolder folder;
  const std::string inter = folder.put("my.inter", "user_id:token\titem_id:token\nu\ti\n");
  const std::string config = folder.put(
      "a.toml", "[data]\npath = '" + inter + "'\n[prompt]\ntemplates = '" + inter + "'\n");
  const std::vector<std::string> run = {
      "run", "--config", config, "--run-dir", folder.file("new/run"), "--set"};
  const auto with = [&](const std::string& setting) {
    std::vector<std::string> arguments = run;
    arguments.push_back(setting);
    return arguments;
  };
  expect_failure(with("model.path=" + folder.file("none")), 66, "none: no such file or folder");
  expect_failure(with("model.path=" + folder.path()), 66, "config.json");
  expect_failure(with("prompt.templates=" + folder.file("none")), 66, "prompt.templates");
  expect_failure(with("embed.quant=w8a16"), 64, "model.path: is empty");
  EXPECT_FALSE(std::filesystem::exists(folder.file("new")));
}

TEST(CommandLine, AnOutputWithoutAFolderIsFoundBeforeTheWork) {
  const TemporaryFolder folder;
  const std::string output = folder.file("none/out");
  for (const char* command : {"infer", "embed", "logits", "describe"}) {
    expect_failure(
        {command, "--model", folder.path(), "--input", folder.put("in", ""), "--output", output},
        66, "none: no such folder to write out to");
  }
}

TEST(CommandLine, ARunFolderThatCannotBeMadeIsAnIoError) {
  const TemporaryFolder folder;
  const std::string config = folder.put("a.toml", "mode = 'clean'\n");
  expect_failure({"run", "--config", config, "--run-dir", config + "/run"}, 74, "a.toml");
}

TEST(ManyRanks, OneFailureEndsAllWithItsCode) {
  const Outcome outcome = run_program(
      {"mpirun", "-n", "2", "--oversubscribe", RALLREC_BINARY, "run", "--config", "no/such.toml"});
  EXPECT_EQ(outcome.code, 66) << outcome.err;
  const std::string message = "no/such.toml: no such config file";
  const std::size_t first = outcome.err.find(message);
  ASSERT_NE(first, std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find(message, first + 1), std::string::npos) << outcome.err;
}

TEST(ManyRanks, EveryRankSaysItIsThereAndOnlyRankZeroPrints) {
  const Outcome outcome =
      run_program({"mpirun", "-n", "2", "--oversubscribe", RALLREC_BINARY, "config", "show"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("[rank 0/2]"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("[rank 1/2]"), std::string::npos) << outcome.err;
  const std::size_t first = outcome.out.find("[tune]");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(outcome.out.find("[tune]", first + 1), std::string::npos);
}

}  // namespace
}  // namespace rallrec::testing
