#include "train/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "core/rng.h"
#include "io/files.h"
#include "tests/support/expect_error.h"
#include "tests/support/soak.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/checkpoint_fixture.h"
#include "train/replica_digest.h"

namespace rallrec::train {
namespace {

namespace fs = std::filesystem;
using models::llm::LoraAdapter;
using rallrec::testing::expect_error;
using rallrec::testing::soak_count;
using rallrec::testing::TemporaryFolder;

class CheckpointTest : public ::testing::Test {
 protected:
  std::string save(std::int64_t step) {
    return save_checkpoint(folder_.path(), random_adapter(step), random_state(step), kIdentity,
                           kOrigin);
  }
  void flip_bit(const std::string& path, std::size_t byte, int bit) {
    std::string bytes = io::read_file(path);
    bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << bit));
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  TemporaryFolder folder_;
};

TEST_F(CheckpointTest, ARenamedFolderDoesNotPassForANewerOne) {
  const std::string older = save(3);
  const std::string newer = save(5);
  fs::copy(older, folder_.file("step-50"));
  EXPECT_EQ(newest_checkpoint(folder_.path()), newer);
  save(6);
  prune_checkpoints(folder_.path(), 2);
  EXPECT_TRUE(fs::exists(newer));
  EXPECT_FALSE(fs::exists(older));
}

TEST_F(CheckpointTest, GivesBackEveryBit) {
  const std::string path = save(7);
  EXPECT_EQ(path, folder_.path() + "/step-7");
  LoraAdapter adapter(fake_config(), {}, 0);
  const TrainingState state = load_checkpoint(path, kIdentity, fake_config(), adapter);
  const LoraAdapter expected_adapter = random_adapter(7);
  const TrainingState expected = random_state(7);
  EXPECT_TRUE(at::equal(adapter.flat(), expected_adapter.flat()));
  EXPECT_EQ(state.step, 7);
  EXPECT_EQ(state.adam.steps(), 6);
  EXPECT_EQ(state.adam.first_moment(), expected.adam.first_moment());
  EXPECT_EQ(state.adam.second_moment(), expected.adam.second_moment());
  EXPECT_EQ(state.skipped_in_a_row, 1);
  EXPECT_EQ(state.epochs_without_improvement, 2);
  ASSERT_TRUE(state.best.has_value());
  EXPECT_EQ(state.best->loss, 0.1 + 0.2);
  EXPECT_EQ(state.best->step, 3);
  EXPECT_EQ(state.best->parameters, expected.best->parameters);
  EXPECT_EQ(state.losses.values(), expected.losses.values());
  EXPECT_EQ(state.grad_norms.values(), expected.grad_norms.values());
  EXPECT_EQ(replica_digest(adapter, state), replica_digest(expected_adapter, expected));
}

TEST_F(CheckpointTest, AFullDiskLeavesNothingHalfWritten) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{200, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error(ExitCode::kIo, "File too large", [&] { save(3); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(folder_.entries(), 0U);
}

TEST_F(CheckpointTest, ModulesNamedInAnyOrderComeBackInTheirPlaces) {
  models::llm::LoraOptions options;
  options.modules = {"v_proj", "gate_proj", "q_proj"};
  LoraAdapter written(fake_config(), options, 1);
  const auto values = random_values(written.flat().numel(), 4);
  std::copy(values.begin(), values.end(), written.flat().mutable_data_ptr<float>());
  TrainingState state;
  state.adam = Adam(values, values, 1);
  const std::string path = save_checkpoint(folder_.path(), written, state, kIdentity, kOrigin);
  LoraAdapter read(fake_config(), options, 2);
  load_checkpoint(path, kIdentity, fake_config(), read);
  EXPECT_TRUE(at::equal(read.flat(), written.flat()));
}

TEST_F(CheckpointTest, DigestSeesOneBit) {
  LoraAdapter adapter = random_adapter(1);
  const std::string before = replica_digest(adapter, random_state(1));
  adapter.flat().mutable_data_ptr<float>()[5] += 1e-6F;
  EXPECT_NE(replica_digest(adapter, random_state(1)), before);
  EXPECT_NE(replica_digest(random_adapter(1), random_state(2)), before);
}

// K5. In a normal run 1,000 flips too: they take a second.
TEST_F(CheckpointTest, EveryFlippedBitIsFoundAndTheOlderOneUsed) {
  const std::string older = save(1);
  const std::string newer = save(2);
  Rng rng(3);
  const int trials = soak_count("K5_flips", 170, 1000);
  int flips = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(newer)) {
    const std::string file = entry.path().string();
    for (int trial = 0; trial < trials; ++trial) {
      const std::size_t byte = rng.next_below(fs::file_size(file));
      const int bit = static_cast<int>(rng.next_below(8));
      flip_bit(file, byte, bit);
      ASSERT_THROW(verify_checkpoint(newer), Error) << file << " byte " << byte << " bit " << bit;
      ASSERT_EQ(newest_checkpoint(folder_.path()), older);
      flip_bit(file, byte, bit);
      ++flips;
    }
    ASSERT_EQ(newest_checkpoint(folder_.path()), newer);
  }
  EXPECT_GE(flips, 1000);
  rallrec::testing::record_count("K5_flipped_bits", flips);
}

TEST_F(CheckpointTest, EveryTruncationAndMissingFileIsFound) {
  const std::string older = save(1);
  const std::string path = save(2);
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    files.push_back(entry.path().string());
  }
  EXPECT_EQ(files.size(), 6U);
  Rng rng(5);
  int cuts = 0;
  for (const std::string& file : files) {
    const std::string bytes = io::read_file(file);
    std::vector<std::size_t> sizes = {0, bytes.size() / 2, bytes.size() - 1};
    for (int trial = 0; trial < 32; ++trial) {
      sizes.push_back(rng.next_below(bytes.size()));
    }
    for (const std::size_t size : sizes) {
      fs::resize_file(file, size);
      EXPECT_THROW(verify_checkpoint(path), Error) << file << " cut to " << size;
      EXPECT_EQ(newest_checkpoint(folder_.path()), older);
      std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
      ++cuts;
    }
    fs::remove(file);
    EXPECT_THROW(verify_checkpoint(path), Error) << file << " missing";
    EXPECT_EQ(newest_checkpoint(folder_.path()), older);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }
  EXPECT_GE(cuts, 200);
  rallrec::testing::record_count("K5_truncations", cuts);
  verify_checkpoint(path);
}

TEST_F(CheckpointTest, AnotherRunsCheckpointIsRefused) {
  const std::string path = save(2);
  LoraAdapter adapter(fake_config(), {}, 0);
  expect_error(ExitCode::kUsage, "--resume never", [&] {
    load_checkpoint(path, {"config", "other", "model"}, fake_config(), adapter);
  });
}

TEST_F(CheckpointTest, PruneKeepsTheNewestThatVerify) {
  for (std::int64_t step = 1; step <= 5; ++step) {
    save(step);
  }
  fs::remove(folder_.file("step-5/state.json"));
  fs::create_directories(folder_.file(".tmp-9-1/x"));
  prune_checkpoints(folder_.path(), 1);  // fewer than two are never kept
  const std::vector<std::string> left = list_checkpoints(folder_.path());
  ASSERT_EQ(left.size(), 3U);  // the broken one is no reason to lose a good one
  EXPECT_EQ(left[1], folder_.file("step-4"));
  EXPECT_EQ(left[2], folder_.file("step-3"));
  EXPECT_FALSE(io::file_exists(folder_.file(".tmp-9-1")));
}

TEST_F(CheckpointTest, AStepCanBeWrittenAgain) {
  save(4);
  flip_bit(folder_.file("step-4/state.json"), 3, 1);
  save(4);
  verify_checkpoint(folder_.file("step-4"));
  EXPECT_EQ(list_checkpoints(folder_.path()).size(), 1U);
}

TEST_F(CheckpointTest, OtherNamesAreNoCheckpoints) {
  for (const char* name : {"step-", "step-x", "step-1a", "step-99999999999999999999", "best"}) {
    fs::create_directories(folder_.file(name));
  }
  EXPECT_TRUE(list_checkpoints(folder_.path()).empty());
  EXPECT_EQ(newest_checkpoint(folder_.path()), "");
  EXPECT_EQ(newest_checkpoint(folder_.file("nowhere")), "");
}

}  // namespace
}  // namespace rallrec::train
