#include "distributed/launch_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/error.h"
#include "distributed/session.h"

namespace rallrec::distributed {
namespace {

using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

LaunchEnvironment detect(const Variables& variables) {
  return detect_launch_environment([&variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(LaunchEnvironment, NoLauncherNeedsNoMpi) {
  const LaunchEnvironment environment = detect({{"PATH", "/bin"}});
  EXPECT_EQ(environment.launcher, Launcher::kNone);
  EXPECT_FALSE(environment.needs_mpi());
}

TEST(LaunchEnvironment, MpirunWinsOverSlurm) {
  const LaunchEnvironment environment = detect({{"OMPI_COMM_WORLD_SIZE", "3"},
                                                {"SLURM_STEP_ID", "0"},
                                                {"SLURM_PROCID", "0"},
                                                {"SLURM_NTASKS", "1"}});
  EXPECT_EQ(environment.launcher, Launcher::kOpenMpi);
  EXPECT_EQ(environment.ranks, 3);
  EXPECT_TRUE(environment.needs_mpi());
}

TEST(LaunchEnvironment, AJobOfOneNeedsNoMpi) {
  EXPECT_FALSE(detect({{"OMPI_COMM_WORLD_SIZE", "1"}}).needs_mpi());
}

TEST(LaunchEnvironment, SlurmCountsOnlyInsideAStep) {
  const Variables batch_script = {
      {"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}};
  EXPECT_EQ(detect(batch_script).launcher, Launcher::kNone);
  Variables step = batch_script;
  step["SLURM_STEP_ID"] = "0";
  step["SLURM_STEP_NUM_TASKS"] = "2";
  step["PMIX_RANK"] = "1";
  EXPECT_EQ(detect(step).launcher, Launcher::kSlurm);
  EXPECT_EQ(detect(step).ranks, 2);
  step.erase("SLURM_STEP_NUM_TASKS");
  EXPECT_EQ(detect(step).ranks, 4);
}

TEST(LaunchEnvironment, BarePmixAsksMpi) {
  const LaunchEnvironment environment = detect({{"PMIX_RANK", "0"}});
  EXPECT_EQ(environment.launcher, Launcher::kPmix);
  EXPECT_TRUE(environment.needs_mpi());
  EXPECT_NO_THROW(check_world_size(environment, 5));
}

TEST(LaunchEnvironment, RejectsNonsense) {
  for (const char* text : {"", "0", "-2", "two", "2x", "99999999999"}) {
    try {
      detect({{"OMPI_COMM_WORLD_SIZE", text}});
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("OMPI_COMM_WORLD_SIZE"));
    }
  }
}

TEST(LaunchEnvironment, TasksOfSrunWithoutPmixAreRefusedBeforeMpiStarts) {
  Variables step = {{"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "4"}};
  try {
    Session session(detect(step));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("4 processes without PMIx"));
    EXPECT_THAT(error.what(), HasSubstr("srun --mpi=pmix"));
  }
  for (const char* name : {"PMIX_RANK", "PMI_RANK"}) {
    Variables connected = step;
    connected[name] = "1";
    EXPECT_NO_THROW(check_connection(detect(connected))) << name;
  }
  step["SLURM_STEP_NUM_TASKS"] = "1";
  EXPECT_NO_THROW(check_connection(detect(step)));
}

TEST(LaunchEnvironment, TasksThatMpiDidNotConnectAreAnErrorWithTheCure) {
  const LaunchEnvironment slurm{Launcher::kSlurm, 4};
  EXPECT_NO_THROW(check_world_size(slurm, 4));
  try {
    check_world_size(slurm, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("4 processes"));
    EXPECT_THAT(error.what(), HasSubstr("srun --mpi=pmix"));
  }
}

TEST(Session, WithoutALauncherIsAGroupOfOneThatNeverTouchesMpi) {
  Session session(LaunchEnvironment{});
  EXPECT_EQ(session.communicator().size(), 1);
  EXPECT_EQ(session.local_rank(), 0);
  EXPECT_EQ(session.ranks_on_node(), 1);
  session.abort(ExitCode::kBadData);
  EXPECT_THROW(session.communicator().barrier(), Error);
}

}  // namespace
}  // namespace rallrec::distributed
