#include "pipeline/run_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

std::string host() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

std::string lock_text(const std::string& host, int process, const std::string& started) {
  return "{\"host\":\"" + host + "\",\"job\":\"77\",\"process\":" + std::to_string(process) +
         ",\"started\":\"" + started + "\"}\n";
}

// The number of a process that has ended and was waited for.
int dead_process() {
  const pid_t child = fork();
  if (child == 0) {
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  return child;
}

TEST(RunLockFile, ExistsWhileHeld) {
  const TemporaryFolder folder;
  {
    const RunLock lock(folder.path());
    EXPECT_NE(folder.get("run.lock").find(std::to_string(getpid())), std::string::npos);
  }
  EXPECT_EQ(folder.entries(), 0U);
}

TEST(RunLockFile, RefusesAFolderInUseAndNamesTheOwner) {
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  expect_error(ExitCode::kUsage, "process " + std::to_string(getpid()) + " on host " + host(),
               [&] { RunLock second(folder.path()); });
  EXPECT_NE(folder.get("run.lock"), "");
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(RunLockFile, TakesOverFromADeadProcessOfThisHost) {
  const TemporaryFolder folder;
  folder.put("run.lock", lock_text(host(), dead_process(), "1"));
  const RunLock lock(folder.path());
  EXPECT_NE(folder.get("run.lock").find(std::to_string(getpid())), std::string::npos);
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(RunLockFile, TakesOverWhereTheNumberBelongsToAnotherProcessNow) {
  const TemporaryFolder folder;
  folder.put("run.lock", lock_text(host(), getpid(), "a start time that is not ours"));
  const RunLock lock(folder.path());
  EXPECT_EQ(folder.get("run.lock").find("not ours"), std::string::npos);
}

TEST(RunLockFile, NeverTakesOverFromAnotherHost) {
  const TemporaryFolder folder;
  const std::string text = lock_text("elsewhere", dead_process(), "1");
  folder.put("run.lock", text);
  expect_error(ExitCode::kUsage, "on host elsewhere (job 77)",
               [&] { RunLock lock(folder.path()); });
  EXPECT_EQ(folder.get("run.lock"), text);
}

// Slurm may requeue a job to another node; two steps of one job are no such case.
TEST(RunLockFile, TakesOverFromAnEarlierLifeOfTheSameJob) {
  const TemporaryFolder folder;
  folder.put("run.lock", lock_text("elsewhere", dead_process(), "1"));
  setenv("SLURM_JOB_ID", "77", 1);
  expect_error(ExitCode::kUsage, "on host elsewhere", [&] { RunLock lock(folder.path()); });
  setenv("SLURM_RESTART_COUNT", "1", 1);
  {
    const RunLock lock(folder.path());
    EXPECT_NE(folder.get("run.lock").find("\"restarts\":1"), std::string::npos);
  }
  folder.put("run.lock", lock_text("elsewhere", dead_process(), "1"));
  setenv("SLURM_JOB_ID", "78", 1);
  expect_error(ExitCode::kUsage, "on host elsewhere", [&] { RunLock lock(folder.path()); });
  unsetenv("SLURM_JOB_ID");
  unsetenv("SLURM_RESTART_COUNT");
}

TEST(RunLockFile, CanBeRemovedFromASignalHandler) {
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  remove_held_locks();
  EXPECT_EQ(folder.entries(), 0U);
}

TEST(RunLockFile, RefusesWhatItCannotRead) {
  const TemporaryFolder folder;
  for (const char* text : {"", "{", "[]", "{\"host\":3}"}) {
    folder.put("run.lock", text);
    expect_error(ExitCode::kUsage, "remove the file if none is active",
                 [&] { RunLock lock(folder.path()); });
  }
}

TEST(RunLockFile, AFolderThatIsNotThereIsAnIoError) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kIo, "run.lock", [&] { RunLock lock(folder.file("none")); });
}

}  // namespace
}  // namespace rallrec::pipeline
