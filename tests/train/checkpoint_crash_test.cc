// K3. The power fails at each call of the checkpoint writer, with what the page cache held lost in
// whole or in part: the newest checkpoint that verifies loads, and one whose writer had returned is
// there.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/crash_disk.h"
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
using rallrec::testing::CrashDisk;
using rallrec::testing::TemporaryFolder;

struct Call {
  std::string name;
  std::string path;
  std::string other;
  std::string bytes;
};

std::vector<Call>& recorded() {
  static std::vector<Call> calls;
  return calls;
}

void record(const char* name, const char* path, const char* other, const void* bytes,
            unsigned long count) {
  recorded().push_back({name, path, other, std::string(static_cast<const char*>(bytes), count)});
}

void play(const Call& call, CrashDisk& disk) {
  if (call.name == "create") {
    disk.create(call.path);
  } else if (call.name == "write") {
    disk.write(call.path, call.bytes);
  } else if (call.name == "fsync") {
    disk.fsync(call.path);
  } else if (call.name == "rename") {
    disk.rename(call.path, call.other);
  } else if (call.name == "mkdir") {
    disk.make_folder(call.path);
  } else {
    ASSERT_EQ(call.name, "remove");
    disk.remove(call.path);
  }
}

void save(const std::string& folder, std::int64_t step) {
  save_checkpoint(folder, random_adapter(static_cast<std::uint64_t>(step)), random_state(step),
                  kIdentity, kOrigin);
}

class CheckpointCrash : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(base_);
    save(base_, 1);
    save(base_, 2);
    fs::copy(base_, work_, fs::copy_options::recursive);
    recorded().clear();
    rallrec::testing::faulty_io_observe(record);
    rallrec::testing::faulty_io_arm(work_.c_str(), 0, 0, 0, 0);
    save(work_, 3);
    saved_ = recorded().size();
    prune_checkpoints(work_, 2);
    rallrec::testing::faulty_io_disarm();
    rallrec::testing::faulty_io_observe(nullptr);
    rallrec::testing::faulty_io_skip_fsync(1);
    ASSERT_GT(recorded().size(), saved_);
    fs::remove_all(work_);
    fs::copy(base_, work_, fs::copy_options::recursive);
  }

  // The disk after so many calls; `durable`: whether fsync does anything.
  CrashDisk disk_after(std::size_t calls, bool durable) const {
    CrashDisk disk(work_);
    for (std::size_t i = 0; i < calls; ++i) {
      if (durable || recorded()[i].name != "fsync") {
        play(recorded()[i], disk);
      }
    }
    return disk;
  }

  // The step of the newest checkpoint that verifies, whose bits are looked at; -1: none.
  std::int64_t step_after(const CrashDisk& disk, const CrashDisk::Crash& crash) const {
    fs::remove_all(after_);
    disk.write_out(crash, after_);
    const std::string path = newest_checkpoint(after_);
    if (path.empty()) {
      return -1;
    }
    LoraAdapter adapter(fake_config(), {}, 0);
    const TrainingState state = load_checkpoint(path, kIdentity, fake_config(), adapter);
    const LoraAdapter expected = random_adapter(static_cast<std::uint64_t>(state.step));
    EXPECT_EQ(replica_digest(adapter, state), replica_digest(expected, random_state(state.step)));
    return state.step;
  }

  TemporaryFolder folder_;
  std::string base_ = folder_.file("base");
  std::string work_ = folder_.file("work");
  std::string after_ = folder_.file("after");
  std::size_t saved_ = 0;
};

constexpr std::uint64_t kAllNames = ~std::uint64_t{0};

TEST_F(CheckpointCrash, TheNewestCheckpointLoadsWhateverThePageCacheLost) {
  const int random = rallrec::testing::soak_count("K3_random", 2, 40);
  int states = 0;
  int published = 0;
  for (std::size_t calls = 0; calls <= recorded().size(); ++calls) {
    const CrashDisk disk = disk_after(calls, true);
    std::vector<CrashDisk::Crash> crashes = {
        {0.0, 0}, {0.0, kAllNames}, {0.5, kAllNames}, {1.0, 0}};
    for (int i = 1; i <= random; ++i) {
      crashes.push_back({i % 3 / 2.0, calls * 1000 + static_cast<std::uint64_t>(i)});
    }
    for (const CrashDisk::Crash& crash : crashes) {
      SCOPED_TRACE("after " + std::to_string(calls) + " calls, names " +
                   std::to_string(crash.names) + ", bytes " + std::to_string(crash.bytes));
      const std::int64_t step = step_after(disk, crash);
      EXPECT_TRUE(step == 3 || (step == 2 && calls < saved_)) << step;
      published += step == 3 ? 1 : 0;
      rallrec::testing::faulty_io_arm(after_.c_str(), 0, 0, 0, 0);
      save(after_, 4);
      prune_checkpoints(after_, 2);
      rallrec::testing::faulty_io_disarm();
      EXPECT_EQ(fs::path(newest_checkpoint(after_)).filename(), "step-4");
      ++states;
    }
  }
  EXPECT_GE(states, 100);
  EXPECT_GT(published, 0);
  EXPECT_LT(published, states);
  rallrec::testing::record_count("K3_states", states);
}

// The test would notice a writer that did not wait for the disk.
TEST_F(CheckpointCrash, WithoutFsyncTheCheckpointIsLost) {
  const CrashDisk disk = disk_after(saved_, false);
  EXPECT_EQ(step_after(disk, {0.0, 0}), 2);
  EXPECT_EQ(step_after(disk, {0.0, kAllNames}), 2);
  EXPECT_EQ(step_after(disk, {1.0, kAllNames}), 3);
}

}  // namespace
}  // namespace rallrec::train
