// The decoder over weights in the form of GPUs, on a CPU queue, against the engine that ships on
// CPUs, which forward_backward_test.cc compares with autograd in double.
#include "models/llm/device_weights.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "distributed/local_communicator.h"
#include "models/llm/int8_layer_source.h"
#include "models/llm/llama_causal_lm.h"
#include "tests/models/llm/tiny_model.h"

namespace rallrec::models::llm {
namespace {

DeviceWeightSource source_of(const TinyModel& model) {
  const TensorSource tensors = model.source();
  return {
      [tensors](const std::string& name, const std::vector<std::int64_t>& shape, RowRange rows) {
        const at::Tensor values = tensors(name, shape, rows).contiguous();
        const float* from = values.const_data_ptr<float>();
        return std::vector<float>(from, from + values.numel());
      },
      [config = model.config, tensors](const Int8LayerLayout& layout, std::int64_t layer,
                                       Int8LayerLayout::PanelRange range) {
        Int8LayerCache none;
        return load_panels(config, layout, layer, range, tensors, none);
      }};
}

MicroBatch micro_batch() {
  MicroBatch made;
  made.batch = pack({random_ids(17, 53, 1), random_ids(1, 53, 2), random_ids(40, 53, 3)});
  made.samples = {4, 8, 15};
  made.label_positions = {15, 16, 17, 50, 57};
  made.label_ids = random_ids(5, 53, 4);
  return made;
}

double apart(const at::Tensor& got, const at::Tensor& want) {
  return ((got - want).norm() / want.norm()).item<double>();
}

// The model whose fp32 products those of a 16-bit mode are near: the CPU's engine rounds the
// products of these modes to bf16 as well, which GPUs do not.
TinyModel as_seen(TinyModel model, QuantMode mode) {
  for (auto& [name, weight] : model.weights) {
    const bool table = weight.size(0) == model.config.vocab_size;
    if (weight.dim() != 2 || (table && mode != QuantMode::kBfloat16)) {
      continue;
    }
    if (mode == QuantMode::kW8a16) {
      const at::Tensor scale = weight.abs().amax(1, true) / 127.0;
      weight = (weight / scale).round() * scale;
    }
    weight = weight.to(at::kBFloat16).to(at::kFloat);
  }
  return model;
}

// In the 16-bit modes the input of each product is rounded by up to 2^-9 of itself, independently
// in some 40 products forward and backward. In the 8-bit modes a value may round the other way
// where the last bit of the sum that it came from is another one.
double tolerance_of(QuantMode mode) {
  if (mode == QuantMode::kFloat32) {
    return 1e-5;
  }
  return is_int8(mode) && mode != QuantMode::kW8a16 ? 1e-2 : 2.5e-2;
}

class DeviceWeightsOnCpu : public testing::TestWithParam<QuantMode> {};

TEST_P(DeviceWeightsOnCpu, ComputeWhatTheCpuEngineComputes) {
  const QuantMode mode = GetParam();
  for (const bool tied : {false, true}) {
    LlmConfig config = tiny_config();
    config.tied_embeddings = tied;
    const TinyModel tiny = make_tiny(config);
    const LoraAdapter adapter = make_adapter(config, {3, 6.0, 0.25, {"q_proj", "v_proj"}});
    distributed::LocalCommunicator communicator;
    LlamaCausalLm device(config, make_device_weights(config, mode, source_of(tiny),
                                                     distributed::cpu_place(communicator), false));
    const bool wide = mode == QuantMode::kBfloat16 || mode == QuantMode::kW8a16;
    const auto engine = wide ? as_seen(tiny, mode).load() : tiny.load(mode);
    EXPECT_EQ(device.quant(), name_of(mode));
    const double tolerance = tolerance_of(mode);
    const auto got = device.forward_backward({micro_batch()}, adapter, {3, 2}, 0.5);
    const auto want = engine->forward_backward({micro_batch()}, adapter, {3, 2}, 0.5);
    EXPECT_LT(apart(got[0].gradient, want[0].gradient), tolerance);
    EXPECT_LT(apart(at::tensor(got[0].label_losses), at::tensor(want[0].label_losses)), tolerance);
    const at::Tensor hidden = device.hidden_states(micro_batch().batch, &adapter);
    EXPECT_LT(apart(hidden, engine->hidden_states(micro_batch().batch, &adapter)), tolerance);
    const at::Tensor rows = hidden.narrow(0, 3, 4).contiguous();
    EXPECT_LT(apart(device.logits(rows), engine->logits(rows)), 1e-5);
    EXPECT_LT(apart(device.logits_of(rows, {5, 50}), engine->logits_of(rows, {5, 50})), 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, DeviceWeightsOnCpu,
                         testing::Values(QuantMode::kFloat32, QuantMode::kBfloat16,
                                         QuantMode::kW8a8, QuantMode::kW8a16, QuantMode::kLlmInt8),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace rallrec::models::llm
