// What sequences with a common start compute behind a shared prefix is what they compute alone, bit
// for bit: an int8 mode would turn a difference in the last bit into another rounding, and a score
// would depend on the prompts beside it.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/models/llm/tiny_model.h"

namespace rallrec::models::llm {
namespace {

class SharedPrefix : public ::testing::TestWithParam<QuantMode> {
 protected:
  std::unique_ptr<LlamaCausalLm> lm_ = make_tiny(tiny_config()).load(GetParam());
};

TEST_P(SharedPrefix, ChangesNoBitOfAHiddenState) {
  for (const std::int64_t shared : {2, 5, 16, 49}) {
    const std::vector<std::int64_t> start = random_ids(shared, 53, 7);
    std::vector<std::vector<std::int64_t>> own;
    for (const std::int64_t length : {2, 3, 17, 50}) {
      own.push_back(random_ids(length, 53, 10 + static_cast<std::uint64_t>(length)));
    }
    std::vector<std::vector<std::int64_t>> parts = {start};
    parts.insert(parts.end(), own.begin(), own.end());
    PackedBatch together = pack(parts);
    together.first_is_prefix = true;
    std::vector<std::int64_t> ends;
    for (std::size_t s = 0; s < own.size(); ++s) {
      ends.push_back(together.offsets[s + 2] - 1);
    }
    const at::Tensor states = lm_->hidden_states(together, nullptr);
    const at::Tensor last = lm_->hidden_states_at(together, ends, nullptr);
    for (std::size_t s = 0; s < own.size(); ++s) {
      std::vector<std::int64_t> whole = start;
      whole.insert(whole.end(), own[s].begin(), own[s].end());
      const auto length = static_cast<std::int64_t>(own[s].size());
      const at::Tensor alone = lm_->hidden_states(pack({whole}), nullptr);
      EXPECT_TRUE(at::equal(states.narrow(0, together.offsets[s + 1], length),
                            alone.narrow(0, shared, length)))
          << shared << " shared, " << length << " own";
      const at::Tensor alone_last =
          lm_->hidden_states_at(pack({whole}), {shared + length - 1}, nullptr);
      EXPECT_TRUE(at::equal(last.narrow(0, static_cast<std::int64_t>(s), 1), alone_last));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, SharedPrefix,
                         ::testing::Values(QuantMode::kFloat32, QuantMode::kW8a8,
                                           QuantMode::kLlmInt8),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace rallrec::models::llm
