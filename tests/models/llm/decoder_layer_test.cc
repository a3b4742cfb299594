// A layer whose queries are chosen rows against the same layer on all rows, dropout on.
#include "models/llm/decoder_layer.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/error.h"
#include "models/llm/kept_bytes.h"
#include "ops/tensor_rows.h"
#include "tests/models/llm/tiny_model.h"

namespace rallrec::models::llm {
namespace {

constexpr std::int64_t kTokens = 70;
const LoraOptions kAllModules = {
    3, 5.0, 0.4, {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}};

struct Result {
  at::Tensor output, d_input, gradient;
};

class ChosenQueries : public testing::Test {
 protected:
  LayerLora lora() const { return {&lora_weights_, 1, &samples_, {3, 9}}; }

  LayerCall call(const BatchRows& queries, const LayerLora& lora) {
    return {tiny_.config, weights_->layer(1, -1), rope_, layout_, queries, lora, scratch_};
  }

  at::Tensor hidden() const { return random_tensor({kTokens, tiny_.config.hidden_size}, 1, 0, 70); }

  // Forward and backward from d_output, the gradient of the queries' outputs.
  Result run(const BatchRows& queries, const at::Tensor& d_output) {
    const LayerLora lora_call = lora();
    const LayerCall one = call(queries, lora_call);
    KeptActivations kept;
    Result result;
    const at::Tensor input = hidden();
    const at::Tensor input_again = hidden();
    result.gradient = at::zeros_like(adapter_.flat());
    result.output =
        ops::tensor_of(layer_forward_keep(one, ops::rows_of(input), keep_, kept)).clone();
    const at::Tensor plain = at::empty_like(result.output);
    layer_forward(one, ops::rows_of(input_again), ops::rows_of(plain));
    EXPECT_TRUE(at::equal(plain, result.output));
    EXPECT_TRUE(at::equal(input, hidden()));
    const at::Tensor d = d_output.clone();
    result.d_input = ops::tensor_of(layer_backward(one, kept, false, ops::rows_of(d),
                                                   result.gradient.data_ptr<float>()))
                         .clone();
    return result;
  }

  TinyModel tiny_ = make_tiny(tiny_config());
  std::unique_ptr<WeightStore> weights_ =
      make_weights(tiny_.config, QuantMode::kFloat32, tiny_.source());
  LoraAdapter adapter_ = make_adapter(tiny_.config, kAllModules);
  LoraWeights lora_weights_{adapter_.layout(), adapter_.flat().data_ptr<float>()};
  std::vector<std::int64_t> samples_ = {4, 8, 15, 16};
  PackedLayout layout_ =
      make_layout({std::vector<std::int64_t>(kTokens), {0, 11, 13, 63, kTokens}});
  RopeTable rope_ = table();
  Arena scratch_;
  Arena keep_;

 private:
  RopeTable table() const {
    RopeTable rope(tiny_.config);
    rope.reserve(kTokens);
    return rope;
  }
};

double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

TEST_F(ChosenQueries, GiveTheirRowsAndTheGradientsOfAllRowsWithZerosElsewhere) {
  const std::vector<std::int64_t> chosen = {3, 10, 13, 14, 40, 62, 69};
  const at::Tensor index = at::tensor(chosen, at::kLong);
  const at::Tensor d_rows =
      random_tensor({std::int64_t(chosen.size()), tiny_.config.hidden_size}, 1, 0, 71);
  const at::Tensor d_all =
      at::zeros({kTokens, tiny_.config.hidden_size}).index_copy_(0, index, d_rows);
  const Result all = run(layout_.rows, d_all);
  const Result some = run(choose_rows(layout_, chosen), d_rows);
  EXPECT_LT(difference(some.output, all.output.index_select(0, index)), 1e-6);
  EXPECT_LT(difference(some.d_input, all.d_input), 1e-6);
  for (const std::string& module : kAllModules.modules) {
    for (const bool b : {false, true}) {
      const auto view = [&](const at::Tensor& flat) {
        const Linear linear = linear_named(module);
        return b ? lora_b(adapter_.layout(), flat, 1, linear)
                 : lora_a(adapter_.layout(), flat, 1, linear);
      };
      EXPECT_LT(difference(view(some.gradient), view(all.gradient)), 2e-6) << module << b;
    }
  }
}

TEST_F(ChosenQueries, AllOfThemAreTheWholeLayer) {
  std::vector<std::int64_t> chosen(kTokens);
  std::iota(chosen.begin(), chosen.end(), 0);
  const at::Tensor d = random_tensor({kTokens, tiny_.config.hidden_size}, 1, 0, 72);
  const Result all = run(layout_.rows, d);
  const Result some = run(choose_rows(layout_, chosen), d);
  EXPECT_TRUE(at::equal(some.output, all.output));
  EXPECT_TRUE(at::equal(some.gradient, all.gradient));
  EXPECT_LT(difference(some.d_input, all.d_input), 1e-6);
}

TEST_F(ChosenQueries, MayBeNone) {
  const Result none = run(choose_rows(layout_, {}), at::empty({0, tiny_.config.hidden_size}));
  EXPECT_EQ(none.output.size(0), 0);
  EXPECT_EQ(none.d_input.abs().max().item<float>(), 0.0F);
  EXPECT_EQ(none.gradient.abs().max().item<float>(), 0.0F);
}

TEST_F(ChosenQueries, MustAscendInTheBatch) {
  EXPECT_THROW(choose_rows(layout_, {4, 3}), Error);
  EXPECT_THROW(choose_rows(layout_, {-1}), Error);
  EXPECT_THROW(choose_rows(layout_, {3, kTokens}), Error);
}

// What a passage takes of the arena, but for the 64 bytes that each tensor is rounded up to.
TEST_F(ChosenQueries, TakeTheMemoryThatIsCounted) {
  const BatchRows queries = choose_rows(layout_, {3, 10, 62});
  const std::int64_t hidden = kTokens * tiny_.config.hidden_size * 4;
  const LayerLora lora_call = lora();
  const auto taken = [&](const BatchRows& rows) {
    const ArenaScope scope(keep_);
    const std::int64_t before = keep_.mark().used;
    KeptActivations kept;
    const at::Tensor input = this->hidden();
    layer_forward_keep(call(rows, lora_call), ops::rows_of(input), keep_, kept);
    return keep_.mark().used - before;
  };
  const std::int64_t whole = taken(layout_.rows);
  const std::int64_t last = taken(queries);
  ASSERT_LT(last, whole / 2);
  const std::int64_t rounding = 64 * (11 + 14);
  const MicroBatchRows rows{kTokens, queries.count()};
  const std::int64_t kept = kept_bytes(tiny_.config, adapter_.options(), rows, false);
  EXPECT_LE(kept, hidden + 2 * whole + last);
  EXPECT_GE(kept, hidden + 2 * whole + last - 3 * rounding);
  const std::int64_t inputs = kept_bytes(tiny_.config, adapter_.options(), rows, true);
  const std::int64_t output = queries.count() * tiny_.config.hidden_size * 4;
  EXPECT_LE(inputs, 3 * hidden + output + whole);
  EXPECT_GE(inputs, 3 * hidden + output + whole - rounding);
}

}  // namespace
}  // namespace rallrec::models::llm
