// `rallrec slurm-template` with a sinfo and a srun of the test's own in PATH.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "commands/slurm_facts.h"
#include "commands/slurm_script.h"
#include "tests/commands/program.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSinfo =
    "short|8|16|(null)|30:00\n"
    "gpu*|2|64+|gpu:a100:4(S:0-1),lustre:1|2-00:00:00\n"
    "gpu*|6|96|gpu:h100:8(S:0-1)|2-00:00:00\n"
    "mixed|1|32|gpu:2,gpu:v100:1|infinite\n"
    "desks|4|32|gpu:4090:2(S:0)|infinite\n"
    "slices|1|64|gpu:1g.10gb:7,shard:8|infinite\n"
    "not a line of partitions\n";

TEST(SlurmFacts, LinesOfSinfoAreRead) {
  const auto partitions = commands::read_sinfo(kSinfo);
  ASSERT_EQ(partitions.size(), 6U);
  EXPECT_EQ(partitions[0].name, "short");
  EXPECT_FALSE(partitions[0].is_default);
  EXPECT_EQ(partitions[0].gpus, 0);
  EXPECT_EQ(partitions[0].time_limit, "30:00");
  EXPECT_EQ(partitions[1].name, "gpu");
  EXPECT_TRUE(partitions[1].is_default);
  EXPECT_EQ(partitions[1].cpus, 64);
  EXPECT_EQ(partitions[1].gpus, 4);
  EXPECT_EQ(partitions[3].gpus, 3);
  EXPECT_EQ(partitions[4].gpus, 2);
  EXPECT_EQ(partitions[5].gpus, 7);

  const commands::SlurmFacts facts{true, partitions, true};
  EXPECT_EQ(commands::choose_partition(facts, "").value().nodes, 6);
  EXPECT_EQ(commands::choose_partition(facts, "mixed").value().cpus, 32);
  EXPECT_FALSE(commands::choose_partition(facts, "none"));
}

TEST(SlurmScript, WordsReachTheShellAsTheyAre) {
  EXPECT_EQ(commands::shell_quoted("runs/a-1.toml"), "runs/a-1.toml");
  EXPECT_EQ(commands::shell_quoted(""), "''");
  const std::string hostile = "a 'b' $(touch x) \"c\" `d`\n*";
  const Outcome echoed = run_program({"sh", "-c", "printf %s " + commands::shell_quoted(hostile)});
  EXPECT_EQ(echoed.out, hostile);
}

class SlurmTemplate : public ::testing::Test {
 protected:
  // A program of that name which prints `text`.
  void put_program(const std::string& name, const std::string& text) const {
    const std::string path = folder.put(name, "#!/bin/sh\ncat <<'END'\n" + text + "END\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  Outcome write(std::vector<std::string> flags,
                const std::string& others = ":/usr/bin:/bin") const {
    flags.insert(flags.begin(), "slurm-template");
    return rallrec(flags, {"PATH=" + folder.path() + others});
  }
  static void expect_shell_reads(const std::string& script) {
    const TemporaryFolder own;
    EXPECT_EQ(run_program({"bash", "-n", own.put("job.sbatch", script)}).err, "");
  }

  TemporaryFolder folder;
  const std::vector<std::string> tune = {"--", "tune", "--train", "my prompts.jsonl"};
};

TEST_F(SlurmTemplate, TheClusterIsAsked) {
  put_program("sinfo", kSinfo);
  put_program("srun", "MPI plugin types are...\n\tpmix\n\tpmi2\n");
  const Outcome outcome =
      write({"--gpus-per-node", "8", "--", "tune", "--train", "my prompts.jsonl"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char* line :
       {"#!/usr/bin/env bash\n", "#SBATCH --nodes=2\n", "#SBATCH --ntasks-per-node=8\n",
        "#SBATCH --cpus-per-task=12\n", "#SBATCH --gpus-per-node=8\n", "#SBATCH --partition=gpu\n",
        "#SBATCH --time=2-00:00:00\n", "#SBATCH --requeue\n", "#SBATCH --signal=B:USR1@180\n",
        "#SBATCH --open-mode=append\n", "LAUNCHER=srun\n",
        "launch/run_slurm.sbatch\" tune --train 'my prompts.jsonl' --device cuda\n",
        "# Assumed: two nodes; --nodes N\n", "# Assumed: the default partition;"}) {
    EXPECT_THAT(outcome.out, HasSubstr(line));
  }
  EXPECT_THAT(outcome.out, Not(HasSubstr("--account")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("GPUs per node are used")));
  expect_shell_reads(outcome.out);
}

TEST_F(SlurmTemplate, WithoutPmixItIsMpirun) {
  put_program("sinfo", kSinfo);
  put_program("srun", "MPI plugin types are...\n\tnone\n\tpmi2\n");
  EXPECT_THAT(write(tune).out, HasSubstr("LAUNCHER=mpirun\n"));
}

TEST_F(SlurmTemplate, FlagsWinAndLeaveNothingToAssume) {
  put_program("sinfo", kSinfo);
  put_program("srun", "pmix\n");
  const std::string config = folder.put("a config.toml", "mode = 'clean'\n");
  const Outcome outcome = write({"--nodes", "3", "--ranks-per-node", "2", "--gpus-per-node", "0",
                                 "--partition", "short", "--account", "us", "--time", "10:00",
                                 "--launcher", "mpirun", "--config", config});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const std::string& line : std::vector<std::string>{
           "--nodes=3\n", "--ntasks-per-node=2\n", "--cpus-per-task=8\n", "--partition=short\n",
           "--account=us\n", "--time=10:00\n", "LAUNCHER=mpirun\n",
           "run_slurm.sbatch\" run --config '" + config + "'\n"}) {
    EXPECT_THAT(outcome.out, HasSubstr(line));
  }
  EXPECT_THAT(outcome.out, Not(HasSubstr("Assumed")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("--gpus-per-node")));
}

TEST_F(SlurmTemplate, TheRunHasTheSettingsOfTheCommandLine) {
  const std::string config = folder.put("run.toml", "mode = 'clean'\n");
  const Outcome outcome = write(
      {"--config", config, "--set", "tune.epochs=9", "--run-dir", "runs/mine", "--threads", "4"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr(" run --config " + config +
                                     " --set tune.epochs=9 --run-dir runs/mine --threads 4\n"));
}

TEST_F(SlurmTemplate, WithoutSlurmItSaysWhatItAssumed) {
  const Outcome outcome = write(tune, "");  // nor one that the machine has
  EXPECT_THAT(outcome.out, HasSubstr("# Assumed: all below: there is no sinfo here"));
  EXPECT_THAT(outcome.out, HasSubstr("LAUNCHER=srun\n"));
  EXPECT_THAT(outcome.out, HasSubstr("#SBATCH --cpus-per-task=8\n"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("--partition=")));
}

TEST_F(SlurmTemplate, WrongUseIsNamed) {
  put_program("sinfo", kSinfo);
  const Outcome unknown = write({"--partition", "gpus", "--", "tune"});
  EXPECT_EQ(unknown.code, 64);
  EXPECT_THAT(unknown.err, HasSubstr("--partition gpus: sinfo knows short, gpu"));
  EXPECT_EQ(write({}).code, 64);
  EXPECT_EQ(write({"--config", folder.file("none.toml")}).code, 66);
  EXPECT_EQ(write({"--launcher", "ssh", "--", "tune"}).code, 64);
  const Outcome no_nodes = write({"--nodes", "0", "--", "tune"});
  EXPECT_EQ(no_nodes.code, 64);
  EXPECT_THAT(no_nodes.err, HasSubstr("--nodes: expected a whole number from 1, found '0'"));
  EXPECT_EQ(write({"--time", "banana", "--", "tune"}).code, 64);
  EXPECT_EQ(write({"--time", "2-12:30", "--", "tune"}).code, 0);
  EXPECT_EQ(write({"--account", "us; rm", "--", "tune"}).code, 64);
  const Outcome command = write({"--", "tuen"});
  EXPECT_EQ(command.code, 64);
  EXPECT_THAT(command.err, HasSubstr("'tuen' is no command of rallrec"));
}

}  // namespace
}  // namespace rallrec::testing
