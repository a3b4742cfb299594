// The checkpoint writer killed, or refused by the system, at each of its calls.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "core/error.h"
#include "tests/support/faulty_io.h"
#include "tests/support/soak.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/checkpoint_fixture.h"
#include "train/checkpoint.h"
#include "train/replica_digest.h"

namespace rallrec::train {
namespace {

namespace fs = std::filesystem;
using models::llm::LoraAdapter;
using rallrec::testing::Fault;
using rallrec::testing::faulty_io_arm;
using rallrec::testing::faulty_io_calls;
using rallrec::testing::faulty_io_disarm;
using rallrec::testing::faulty_io_skip_fsync;
using rallrec::testing::TemporaryFolder;

void save(const std::string& folder, std::int64_t step) {
  save_checkpoint(folder, random_adapter(static_cast<std::uint64_t>(step)), random_state(step),
                  kIdentity, kOrigin);
}

// What is put to the test: the third checkpoint is written and the first removed.
void write_third(const std::string& folder) {
  save(folder, 3);
  prune_checkpoints(folder, 2);
}

class CheckpointFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(base_);
    save(base_, 1);
    save(base_, 2);
    faulty_io_skip_fsync(1);
    fs::copy(base_, work_, fs::copy_options::recursive);
    faulty_io_arm(work_.c_str(), 0, 0, static_cast<int>(Fault::kNone), 0);
    write_third(work_);
    faulty_io_disarm();
    calls_ = faulty_io_calls();
  }
  void TearDown() override { faulty_io_disarm(); }

  // The folder as it was before the third checkpoint.
  void reset() const {
    fs::remove_all(work_);
    fs::copy(base_, work_, fs::copy_options::recursive);
  }

  // The newest checkpoint that verifies gives back its bits; returns its step.
  std::int64_t newest_step() const {
    const std::string path = newest_checkpoint(work_);
    if (path.empty()) {
      return -1;
    }
    LoraAdapter adapter(fake_config(), {}, 0);
    const TrainingState state = load_checkpoint(path, kIdentity, fake_config(), adapter);
    const LoraAdapter expected = random_adapter(static_cast<std::uint64_t>(state.step));
    EXPECT_EQ(replica_digest(adapter, state), replica_digest(expected, random_state(state.step)));
    return state.step;
  }

  // Checkpoints that verify are never fewer than two; the next attempt needs no help and leaves
  // nothing behind.
  void expect_recovers() const {
    int good = 0;
    for (const std::string& path : list_checkpoints(work_)) {
      EXPECT_NO_THROW(verify_checkpoint(path)) << "complete or not there";
      ++good;
    }
    EXPECT_GE(good, 2);
    write_third(work_);
    EXPECT_EQ(newest_step(), 3);
    const auto entries = std::distance(fs::directory_iterator(work_), fs::directory_iterator());
    EXPECT_EQ(entries, 2);
  }

  TemporaryFolder folder_;
  std::string base_ = folder_.file("base");
  std::string work_ = folder_.file("work");
  long calls_ = 0;
};

// K2: before each call, after it, and with half of what it writes.
TEST_F(CheckpointFaults, KilledAtEachCallItLosesNothing) {
  ASSERT_GE(calls_, 40);
  int kills = 0;
  int published = 0;
  for (const Fault fault : {Fault::kKillBefore, Fault::kKillBetween, Fault::kKillAfter}) {
    for (long call = 1; call <= calls_; ++call) {
      SCOPED_TRACE("call " + std::to_string(call) + " of " + std::to_string(calls_));
      reset();
      const pid_t child = ::fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        faulty_io_arm(work_.c_str(), call, 1, static_cast<int>(fault), 0);
        write_third(work_);
        ::_exit(0);
      }
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
      ++kills;
      const std::int64_t step = newest_step();
      EXPECT_TRUE(step == 2 || step == 3) << step;
      published += step == 3 ? 1 : 0;
      expect_recovers();
    }
  }
  // Both sides of the rename were seen.
  EXPECT_GT(published, 0);
  EXPECT_LT(published, kills);
  rallrec::testing::record_count("K2_calls", static_cast<int>(calls_));
  rallrec::testing::record_count("K2_kills", kills);
}

// K4. A call that fails ends the attempt with an error of the system, or is made good; the older
// checkpoints stand.
TEST_F(CheckpointFaults, RefusedAtEachCallItLosesNothing) {
  struct Injection {
    Fault fault;
    int error;
  };
  int injections = 0;
  int refused = 0;
  for (const Injection one : {Injection{Fault::kError, ENOSPC}, Injection{Fault::kError, EIO},
                              Injection{Fault::kError, EROFS}, Injection{Fault::kError, EINTR},
                              Injection{Fault::kShortWrite, 0}}) {
    for (long call = 1; call <= calls_; ++call) {
      SCOPED_TRACE(std::string(std::strerror(one.error)) + " at call " + std::to_string(call));
      reset();
      faulty_io_arm(work_.c_str(), call, 1, static_cast<int>(one.fault), one.error);
      bool failed = false;
      try {
        write_third(work_);
      } catch (const Error& error) {
        failed = true;
        EXPECT_EQ(error.code(), ExitCode::kIo) << error.what();
        EXPECT_NE(std::string(error.what()).find(work_), std::string::npos) << error.what();
      }
      faulty_io_disarm();
      ++injections;
      refused += failed ? 1 : 0;
      EXPECT_FALSE(failed && one.fault == Fault::kShortWrite) << "a short write is continued";
      EXPECT_TRUE(failed || newest_step() == 3);
      EXPECT_GE(newest_step(), 2);
      expect_recovers();
    }
  }
  EXPECT_GE(injections, 200);
  EXPECT_GT(refused, injections / 4);
  rallrec::testing::record_count("K4_injections", injections);
}

// A disk that stays full: every attempt fails, nothing is left of it.
TEST_F(CheckpointFaults, AFullDiskLeavesTheOlderCheckpointsAndNothingElse) {
  reset();
  for (int attempt = 0; attempt < 3; ++attempt) {
    faulty_io_arm((work_ + "/.tmp-").c_str(), 1, -1, static_cast<int>(Fault::kError), ENOSPC);
    EXPECT_THROW(write_third(work_), Error);
    faulty_io_disarm();
    EXPECT_EQ(newest_step(), 2);
  }
  expect_recovers();
}

// A checkpoint of the same step that is replaced is not lost where that fails.
TEST_F(CheckpointFaults, AFailedReplacementPutsTheOldOneBack) {
  for (long call = 1; call <= calls_; ++call) {
    reset();
    faulty_io_arm(work_.c_str(), call, 1, static_cast<int>(Fault::kError), EIO);
    try {
      save(work_, 2);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kIo);
    }
    faulty_io_disarm();
    EXPECT_EQ(newest_step(), 2) << "call " << call;
  }
}

}  // namespace
}  // namespace rallrec::train
