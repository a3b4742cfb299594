#include "models/llm/int8_layer_cache.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>

#include "distributed/thread_communicator.h"
#include "tests/models/llm/tiny_model.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::models::llm {
namespace {

namespace fs = std::filesystem;

class Int8Cache : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(model_file()) << "weights";
    ASSERT_EQ(tiny_.config.layers, 3);
  }

  std::string model_file() const { return folder_.file("model.safetensors"); }
  Int8LayerCache cache(bool write) const {
    return Int8LayerCache({folder_.file("cache"), write}, {model_file()});
  }
  // Rows of fp32 weights that are asked for, norms and tables aside.
  TensorSource counting_source() {
    return [this, source = tiny_.source()](const std::string& name,
                                           const std::vector<std::int64_t>& shape, RowRange rows) {
      quantised_rows_ += name.find("_proj") == std::string::npos ? 0 : rows.count;
      return source(name, shape, rows);
    };
  }
  at::Tensor states(std::unique_ptr<WeightStore> weights) const {
    return LlamaCausalLm(tiny_.config, std::move(weights))
        .hidden_states(pack({random_ids(9, 53, 3)}), nullptr);
  }
  at::Tensor whole_states(bool write) {
    quantised_rows_ = 0;
    return states(make_weights(tiny_.config, QuantMode::kW8a8, counting_source(), cache(write)));
  }
  // On rank 0.
  at::Tensor shared_states(int ranks, bool write) {
    quantised_rows_ = 0;
    at::Tensor mine;
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      const at::Tensor got =
          states(make_weights(tiny_.config, QuantMode::kW8a8, counting_source(),
                              cache(write && communicator.rank() == 0), &communicator));
      if (communicator.rank() == 0) {
        mine = got;
      }
    });
    return mine;
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.file("cache"))) {
      if (entry.is_regular_file()) {
        found.push_back(entry.path());
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  testing::TemporaryFolder folder_;
  TinyModel tiny_ = make_tiny(tiny_config());
  std::atomic<std::int64_t> quantised_rows_{0};
};

TEST_F(Int8Cache, TheSecondStartQuantisesNothingAndComputesTheSameBits) {
  const at::Tensor want = whole_states(true);
  EXPECT_GT(quantised_rows_, 0);
  EXPECT_EQ(files().size(), static_cast<std::size_t>(tiny_.config.layers));
  EXPECT_TRUE(at::equal(whole_states(false), want));
  EXPECT_EQ(quantised_rows_, 0);
}

TEST_F(Int8Cache, ServesAnyNumberOfRanksWhoeverWroteIt) {
  const at::Tensor want = shared_states(3, true);
  EXPECT_GT(quantised_rows_, 0);
  for (const int ranks : {2, 3, 5}) {
    EXPECT_TRUE(at::equal(shared_states(ranks, false), want));
    EXPECT_EQ(quantised_rows_, 0) << ranks;
  }
  EXPECT_TRUE(at::equal(whole_states(false), want));
  EXPECT_EQ(quantised_rows_, 0);
}

// Every 97th byte of a layer's file in turn: header, panels, scales and checksums.
TEST_F(Int8Cache, ADamagedLayerIsQuantisedAgainAndWrittenAnew) {
  const at::Tensor want = whole_states(true);
  const fs::path file = files().at(1);
  const auto size = static_cast<std::int64_t>(fs::file_size(file));
  for (std::int64_t at = 0; at < size; at += 97) {
    {
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekg(at);
      const char flipped = static_cast<char>(stream.get() ^ 0x10);
      stream.seekp(at);
      stream.put(flipped);
    }
    ASSERT_TRUE(at::equal(whole_states(true), want)) << at;
    ASSERT_GT(quantised_rows_, 0) << at;
  }
  EXPECT_TRUE(at::equal(whole_states(false), want));
  EXPECT_EQ(quantised_rows_, 0);
}

// Only rank 0 writes, and the damage is in what the last rank reads.
TEST_F(Int8Cache, DamageThatOnlyAnotherRankReadsIsWrittenAnew) {
  const at::Tensor want = shared_states(3, true);
  const Int8LayerLayout layout(tiny_.config, 3);
  {
    std::fstream stream(files().at(1), std::ios::in | std::ios::out | std::ios::binary);
    std::string content(std::istreambuf_iterator<char>(stream), {});
    const auto header = static_cast<std::size_t>(content[0] & 0xFF) +
                        256 * static_cast<std::size_t>(content[1] & 0xFF);
    const std::string fields = content.substr(8, header);
    const std::size_t offsets = fields.find("data_offsets", fields.find("\"panels\""));
    const std::size_t panels = std::stoul(fields.substr(fields.find('[', offsets) + 1));
    const std::size_t at = 8 + header + panels + layout.bytes() - 1;
    stream.clear();
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(static_cast<char>(content[at] ^ 0x10));
  }
  EXPECT_TRUE(at::equal(shared_states(3, true), want));
  EXPECT_GT(quantised_rows_, 0);
  EXPECT_TRUE(at::equal(shared_states(3, true), want));
  EXPECT_EQ(quantised_rows_, 0);
}

TEST_F(Int8Cache, ATruncatedOrMissingLayerAloneIsQuantisedAgain) {
  const at::Tensor want = whole_states(true);
  const std::int64_t all = quantised_rows_;
  fs::resize_file(files().at(0), 100);
  fs::remove(files().at(2));
  EXPECT_TRUE(at::equal(whole_states(false), want));
  EXPECT_EQ(quantised_rows_, all / tiny_.config.layers * 2);
}

TEST_F(Int8Cache, AnotherModelFileHasAnotherCache) {
  whole_states(true);
  std::ofstream(model_file()) << "other weights";
  whole_states(false);
  EXPECT_GT(quantised_rows_, 0);
}

// Other weights as an archive with fixed times brings them: same size, same time of modification.
TEST_F(Int8Cache, AnotherModelFileOfTheSameSizeAndTimeHasAnotherCache) {
  const fs::file_time_type time = fs::last_write_time(model_file());
  whole_states(true);
  std::ofstream(model_file()) << "WEIGHTS";
  fs::last_write_time(model_file(), time);
  whole_states(false);
  EXPECT_GT(quantised_rows_, 0);
}

TEST_F(Int8Cache, WhatCannotBeWrittenCostsNothingButTheNextStart) {
  std::ofstream(folder_.file("cache")) << "a file where the folder would be";
  const at::Tensor want = states(make_weights(tiny_.config, QuantMode::kW8a8, tiny_.source()));
  EXPECT_TRUE(at::equal(whole_states(true), want));
  EXPECT_TRUE(fs::is_regular_file(folder_.file("cache")));
}

}  // namespace
}  // namespace rallrec::models::llm
