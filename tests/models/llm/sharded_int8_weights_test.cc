// A w8a8 model shared out over ranks gives the bits of the whole one.
#include "models/llm/sharded_int8_weights.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "distributed/thread_communicator.h"
#include "models/llm/int8_layer_layout.h"
#include "models/llm/sharded_table.h"
#include "ops/tensor_rows.h"
#include "tests/models/llm/tiny_model.h"

namespace rallrec::models::llm {
namespace {

LoraOptions lora() { return {4, 8, 0.1, {"q_proj", "v_proj"}}; }

LoraAdapter random_adapter(const LlmConfig& config) {
  LoraAdapter adapter(config, lora(), 3);
  adapter.flat().copy_(random_tensor({adapter.flat().numel()}, 0.1, 0.0, 77));
  return adapter;
}

MicroBatch micro_batch(std::int64_t index) {
  MicroBatch made;
  made.batch.offsets = {0};
  for (std::int64_t s = 0; s < 2; ++s) {
    const std::int64_t length = 3 + (index * 5 + s * 3) % 11;
    for (std::int64_t t = 0; t < length; ++t) {
      made.batch.ids.push_back((index * 17 + s * 7 + t * 3) % 53);
    }
    made.batch.offsets.push_back(made.batch.tokens());
    made.samples.push_back(index * 2 + s);
    made.label_positions.push_back(made.batch.tokens() - 2);
    made.label_ids.push_back(made.batch.ids.back());
  }
  return made;
}

std::vector<MicroBatch> micro_batches(std::int64_t first, std::int64_t count) {
  std::vector<MicroBatch> made;
  for (std::int64_t i = 0; i < count; ++i) {
    made.push_back(micro_batch(first + i));
  }
  return made;
}

void expect_same(const MicroBatchResult& got, const MicroBatchResult& want) {
  EXPECT_EQ(got.label_losses, want.label_losses);
  EXPECT_TRUE(at::equal(got.gradient, want.gradient));
}

class ShardedModes : public ::testing::TestWithParam<QuantMode> {};

TEST_P(ShardedModes, GiveTheBitsOfTheWholeModelOnAnyNumberOfRanks) {
  const TinyModel tiny = make_tiny(tiny_config());
  const LoraAdapter adapter = random_adapter(tiny.config);
  const auto all = micro_batches(0, 5);
  const auto whole = tiny.load(GetParam());
  EXPECT_EQ(whole->quant(), name_of(GetParam()));
  const auto want = whole->forward_backward(all, adapter, {1, 2}, 0.5);
  const auto want_losses = whole->label_losses(all, &adapter);
  ASSERT_GT(want[0].gradient.abs().max().item<float>(), 0.0F);
  for (const int ranks : {1, 2, 3, 4, 7}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      const auto shared = tiny.load_sharded(communicator, GetParam());
      EXPECT_EQ(shared->quant(), name_of(GetParam()));
      for (int step = 0; step < 2; ++step) {
        const auto got = shared->forward_backward(all, adapter, {1, 2}, 0.5);
        for (std::size_t i = 0; i < all.size(); ++i) {
          expect_same(got[i], want[i]);
        }
      }
      EXPECT_EQ(shared->label_losses(all, &adapter), want_losses);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(All, ShardedModes,
                         ::testing::Values(QuantMode::kW8a8, QuantMode::kW8a16,
                                           QuantMode::kLlmInt8),
                         [](const auto& info) { return std::string(name_of(info.param)); });

// Each mode computes another function of the same weights, near that of fp32.
TEST(QuantModes, DifferFromEachOtherAndAreNearFp32) {
  const TinyModel tiny = make_tiny(tiny_config());
  const auto batch = pack({random_ids(11, 53, 3), random_ids(6, 53, 4)});
  const at::Tensor want = tiny.load(QuantMode::kFloat32)->hidden_states(batch, nullptr);
  std::vector<at::Tensor> seen = {want};
  for (const QuantMode mode :
       {QuantMode::kBfloat16, QuantMode::kW8a16, QuantMode::kW8a8, QuantMode::kLlmInt8}) {
    const at::Tensor got = tiny.load(mode)->hidden_states(batch, nullptr);
    EXPECT_LT((got - want).norm().item<float>(), 0.05F * want.norm().item<float>())
        << name_of(mode);
    for (const at::Tensor& other : seen) {
      EXPECT_FALSE(at::equal(got, other)) << name_of(mode);
    }
    seen.push_back(got);
  }
}

// Waves of single micro-batches: ranks need 3, 1 and 0 of them, and none waits for another forever.
TEST(ShardedInt8Weights, RanksWithFewerOrNoMicroBatchesStillGiveTheirPart) {
  const TinyModel tiny = make_tiny(tiny_config());
  const LoraAdapter adapter = random_adapter(tiny.config);
  const auto whole = tiny.load(QuantMode::kW8a8);
  distributed::run_thread_ranks(3, [&](distributed::Communicator& communicator) {
    const std::int64_t counts[] = {3, 1, 0};
    const auto mine = micro_batches(communicator.rank() * 10, counts[communicator.rank()]);
    const auto shared = tiny.load_sharded(communicator);
    shared->set_kept_bytes(1);
    const auto got = shared->forward_backward(mine, adapter, {1, 2}, 0.5);
    ASSERT_EQ(got.size(), mine.size());
    EXPECT_EQ(shared->label_losses(mine, &adapter).size(), mine.size());
    // The first wave brings in 3 layers and goes back over 2 of them: the first of the two is still
    // there. The later waves begin with layers 0 and 1 at hand, and so does the pass of the losses,
    // which brings in layer 2 and, for the next pass, layer 0.
    EXPECT_EQ(shared->gathered().layers, (3 + 1) + 2 * (1 + 1) + 2);
    if (communicator.rank() == 0) {
      const auto want = whole->forward_backward(mine, adapter, {1, 2}, 0.5);
      for (std::size_t i = 0; i < want.size(); ++i) {
        expect_same(got[i], want[i]);
      }
    }
  });
}

// What one rank asks of the model in its own time.
struct Passes {
  std::vector<at::Tensor> tensors;
  std::vector<std::vector<std::int64_t>> texts;
};

Passes run_passes(LlamaCausalLm& lm, int kind) {
  Passes passes;
  const auto states = [&lm](std::uint64_t stream) {
    return lm.hidden_states(pack({random_ids(5, 53, stream), random_ids(9, 53, stream + 1)}),
                            nullptr);
  };
  if (kind == 0) {
    passes.tensors = {states(3), lm.logits(states(5))};
  } else if (kind == 1) {
    GenerationOptions options;
    options.max_new_tokens = 4;
    passes.texts =
        lm.generate({{random_ids(6, 53, 8), 0}, {random_ids(2, 53, 9), 1}}, options, nullptr);
  } else if (kind == 2) {
    const at::Tensor rows = states(7);
    passes.tensors = {lm.logits_of(rows, {4, 52, 4}), lm.logits_of(rows, {0}), lm.logits(rows)};
  }
  return passes;
}

void expect_same(const Passes& got, const Passes& want) {
  EXPECT_EQ(got.texts, want.texts);
  ASSERT_EQ(got.tensors.size(), want.tensors.size());
  for (std::size_t i = 0; i < want.tensors.size(); ++i) {
    EXPECT_TRUE(at::equal(got.tensors[i], want.tensors[i])) << i;
  }
}

// Ranks run different passes, or none, and meet where weights are gathered.
TEST(ShardedInt8Weights, PassesOfDifferentRanksNeedNoCommonSchedule) {
  for (const bool tied : {false, true}) {
    LlmConfig config = tiny_config();
    config.tied_embeddings = tied;
    const TinyModel tiny = make_tiny(config);
    const auto whole = tiny.load(QuantMode::kW8a8);
    std::vector<Passes> want;
    for (int kind = 0; kind < 4; ++kind) {
      want.push_back(run_passes(*whole, kind));
    }
    distributed::run_thread_ranks(4, [&](distributed::Communicator& communicator) {
      const auto shared = tiny.load_sharded(communicator);
      for (int round = 0; round < 5; ++round) {
        const int kind = (communicator.rank() + round) % 4;
        expect_same(run_passes(*shared, kind), want[static_cast<std::size_t>(kind)]);
        if (round % 2 == 1) {
          shared->join_others();
        }
      }
      shared->join_others();
    });
  }
}

TEST(ShardedTable, RanksKeepWholeBlocksAndNarrowNumbersStayNarrow) {
  LlmConfig config = tiny_config();
  config.vocab_size = 1000;
  const TinyModel tiny = make_tiny(config);
  for (const bool narrow : {false, true}) {
    const TensorSource source = [&](const std::string& name, const std::vector<std::int64_t>& shape,
                                    RowRange rows) {
      const at::Tensor values = tiny.source()(name, shape, rows);
      return narrow ? values.to(at::kBFloat16).to(at::kFloat) : values;
    };
    for (const int ranks : {2, 3, 70}) {
      std::vector<std::int64_t> bytes(static_cast<std::size_t>(ranks));
      distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
        const ShardedTable table(config, source, "model.embed_tokens.weight", communicator);
        bytes[static_cast<std::size_t>(communicator.rank())] = table.bytes();
        const std::vector<std::int64_t> ids = {999, 0, 999, communicator.rank() * 10};
        const at::Tensor rows = at::empty({4, config.hidden_size}, at::kFloat);
        table.gather(ids, ops::rows_of(rows));
        const at::Tensor whole = source("model.embed_tokens.weight", {}, {0, 1000});
        EXPECT_TRUE(at::equal(rows, whole.index_select(0, at::tensor(ids, at::kLong))));
      });
      const std::int64_t all = std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
      EXPECT_EQ(all, 1000 * config.hidden_size * (narrow ? 2 : 4));
      const std::int64_t block = 16 * config.hidden_size * 4;
      EXPECT_LE(*std::max_element(bytes.begin(), bytes.end()), all / ranks + block);
    }
  }
}

TEST(ShardedInt8Weights, CountTheBytesThatRanksKeep) {
  const TinyModel tiny = make_tiny(tiny_config());
  const LlmConfig& config = tiny.config;
  std::int64_t layer = 0;
  for (const Linear linear : kLinears) {
    const LinearSize size = size_of(config, linear);
    const std::int64_t rows = (size.out + 15) / 16 * 16;
    layer += rows * ((size.in + 1) / 2 * 2) + 4 * rows;
  }
  const std::int64_t tables =
      4 * config.vocab_size * config.hidden_size * (config.tied_embeddings ? 1 : 2);
  const std::int64_t norms = 4 * config.hidden_size * (1 + 2 * config.layers);
  distributed::run_thread_ranks(3, [&](distributed::Communicator& communicator) {
    std::int64_t bytes = tiny.load_sharded(communicator)->frozen_bytes();
    EXPECT_GT(bytes, norms + 2 * layer);
    communicator.all_reduce(&bytes, 1, distributed::DType::kInt64);
    EXPECT_EQ(bytes, 3 * (norms + 2 * layer) + tables + config.layers * layer);
  });
  const auto fp32 = tiny.load(QuantMode::kFloat32);
  const std::int64_t forward_only = fp32->frozen_bytes();
  fp32->forward_backward(micro_batches(0, 1), random_adapter(config), {1, 2}, 0.5);
  // The copies that the input gradient multiplies by were made.
  EXPECT_GT(fp32->frozen_bytes(), forward_only);
  EXPECT_LE(fp32->frozen_bytes(), 2 * forward_only);
}

TEST(Int8LayerLayout, RanksKeepWholePanelsOfNearlyEqualBytes) {
  LlmConfig config = tiny_config();
  config.hidden_size = 72;
  config.heads = 9;
  config.head_dim = 8;
  config.kv_heads = 3;
  config.intermediate_size = 200;
  for (const int ranks : {1, 2, 3, 8, 500}) {
    const Int8LayerLayout layout(config, ranks);
    std::size_t bytes = 0;
    std::size_t scales = 0;
    std::size_t largest_panel = 0;
    for (const Linear linear : kLinears) {
      EXPECT_EQ(layout[linear].offset % 16, 0U);
      largest_panel = std::max(largest_panel, layout[linear].panel_bytes);
    }
    for (int rank = 0; rank < ranks; ++rank) {
      const std::size_t own = layout.bytes_of_ranks()[static_cast<std::size_t>(rank)];
      EXPECT_LE(own, layout.bytes() / static_cast<std::size_t>(ranks) + largest_panel);
      bytes += own;
      scales += layout.scales_of_ranks()[static_cast<std::size_t>(rank)];
      EXPECT_LE(layout.panels_of(rank).first, layout.panels_of(rank).last);
    }
    EXPECT_EQ(bytes, layout.bytes());
    EXPECT_EQ(scales, layout.scales());
    EXPECT_GE(layout.bytes(), std::size_t{72 * 72 * 2 + 72 * 24 * 2 + 72 * 200 * 3});
  }
}

// A tensor that a rank keeps nothing of is still asked for, so that all ranks refuse alike.
TEST(ShardedInt8Weights, EveryRankAsksForEveryTensor) {
  const TinyModel tiny = make_tiny(tiny_config());
  distributed::run_thread_ranks(4, [&](distributed::Communicator& communicator) {
    std::set<std::string> asked;
    const TensorSource source = tiny.source();
    make_sharded_int8_weights(
        tiny.config, QuantMode::kW8a8,
        [&](const std::string& name, const std::vector<std::int64_t>& shape, RowRange rows) {
          asked.insert(name);
          return source(name, shape, rows);
        },
        Int8LayerCache(), communicator);
    EXPECT_EQ(asked.size(), tiny.weights.size());
  });
}

}  // namespace
}  // namespace rallrec::models::llm
