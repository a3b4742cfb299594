#include <memory>
#include <vector>

#include "kernels/bfloat16.h"
#include "models/llm/device_linear.h"
#include "models/llm/device_store.h"

namespace rallrec::models::llm {
namespace {

constexpr const char* kSetting = "model.quant";

// fp32 and bf16: every matrix as it is, on every rank.
class DenseDeviceWeights : public DeviceStore {
 public:
  DenseDeviceWeights(const LlmConfig& config, QuantMode mode, const DeviceWeightSource& source,
                     const Queue& queue)
      : DeviceStore(config, mode, source, queue), layers_(static_cast<std::size_t>(config.layers)) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      LayerWeights& weights = layers_[static_cast<std::size_t>(layer)];
      show_norms(layer, weights);
      for (const Linear linear : kLinears) {
        const LinearSize size = size_of(config, linear);
        weights.linears[static_cast<std::size_t>(linear)] = take(
            source.floats(weight_name(layer, linear), {size.out, size.in}, {0, size.out}), size);
      }
    }
  }

  const LayerWeights& layer(std::int64_t layer, std::int64_t) override {
    return layers_.at(static_cast<std::size_t>(layer));
  }
  std::int64_t frozen_bytes() const override { return DeviceStore::frozen_bytes() + bytes_; }

 private:
  std::unique_ptr<FrozenLinear> take(const std::vector<float>& values, LinearSize size) {
    if (mode_ == QuantMode::kFloat32) {
      wide_.emplace_back(queue_, kSetting, values);
      bytes_ += static_cast<std::int64_t>(4 * values.size());
      return make_device_linear(wide_.back().data(), size, scratch_);
    }
    std::vector<std::uint16_t> rounded;
    rounded.reserve(values.size());
    for (const float value : values) {
      rounded.push_back(kernels::rounded_to_bfloat16(value));
    }
    narrow_.emplace_back(queue_, kSetting, rounded);
    bytes_ += static_cast<std::int64_t>(2 * values.size());
    return make_device_linear(narrow_.back().data(), size, scratch_);
  }

  std::vector<DeviceArray<float>> wide_;
  std::vector<DeviceArray<std::uint16_t>> narrow_;
  std::vector<LayerWeights> layers_;
  std::int64_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<WeightStore> make_dense_device_weights(const LlmConfig& config, QuantMode mode,
                                                       const DeviceWeightSource& source,
                                                       const Queue& queue) {
  return std::make_unique<DenseDeviceWeights>(config, mode, source, queue);
}

}  // namespace rallrec::models::llm
