#include <ATen/Parallel.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/parallel_for.h"
#include "io/safetensors.h"
#include "kernels/int8_level.h"
#include "kernels/int8_matmul.h"
#include "models/llm/causal_lm.h"
#include "models/llm/device_weights.h"
#include "models/llm/int8_layer_source.h"
#include "models/llm/layer_trace.h"
#include "models/llm/llama_causal_lm.h"
#include "models/llm/make_weights.h"
#include "models/llm/quant_mode.h"

namespace rallrec::models::llm {
namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

// A value that is not a number anywhere would show only much later, as a loss that is none.
// `first` is the number of the tensor's first element in the file.
void check_finite(const std::string& file, const std::string& name, std::int64_t first,
                  const at::Tensor& tensor) {
  const float* values = tensor.const_data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    if (!std::isfinite(values[i])) {
      throw_bad_data(file, "tensor " + name + ": element " + std::to_string(first + i) +
                               " is not finite: the weights are damaged");
    }
  }
}

// The checkpoint's tensors by name; remembers which were asked for.
class CheckpointSource {
 public:
  explicit CheckpointSource(const std::string& folder) : folder_(folder), tensors_(folder) {
    for (const std::string& warning : tensors_.warnings()) {
      spdlog::warn("{}", warning);
    }
  }

  at::Tensor load(const std::string& name, const std::vector<std::int64_t>& shape, RowRange rows) {
    const io::TensorInfo* info = tensors_.find(name);
    if (info == nullptr) {
      throw_bad_data(folder_, "tensor " + name + " is missing, which config.json implies");
    }
    if (info->shape != shape) {
      throw_bad_data(tensors_.file_of(name).path(),
                     "tensor " + name + " has shape " + info->shape_text() +
                         ", but config.json implies " + shape_text(shape));
    }
    used_.insert(name);
    std::vector<std::int64_t> size = shape;
    size.front() = rows.count;
    at::Tensor tensor = at::empty(size, at::kFloat);
    tensors_.read_rows_as_float(name, rows.first, rows.count, tensor.data_ptr<float>());
    check_finite(tensors_.file_of(name).path(), name,
                 rows.first * (tensor.numel() / std::max<std::int64_t>(1, rows.count)), tensor);
    return tensor;
  }

  std::vector<std::string> paths() const { return tensors_.paths(); }

  // A tensor that nothing reads would be a model other than the one computed. Older checkpoints
  // carry the rotary frequencies, and some the tied head a second time.
  void refuse_unexpected(bool tied) const {
    for (const std::string& name : tensors_.names()) {
      const bool harmless = (tied && name == "lm_head.weight") ||
                            name.find(".rotary_emb.inv_freq") != std::string::npos;
      if (used_.count(name) == 0 && !harmless) {
        throw_bad_data(tensors_.file_of(name).path(),
                       "tensor " + name + " is not part of the model that config.json describes");
      }
    }
  }

 private:
  std::string folder_;
  io::SafetensorsFolder tensors_;
  std::set<std::string> used_;
};

// Sums of int8 products must fit int32.
void refuse_deep_sums(const LlmConfig& config, QuantMode mode, const std::string& folder) {
  const std::int64_t deepest =
      std::max({config.hidden_size, config.intermediate_size, config.heads * config.head_dim});
  if (is_int8(mode) && mode != QuantMode::kW8a16 && deepest > kernels::kInt8MaxDepth) {
    throw_usage("model.quant (--quant) is '" + std::string(name_of(mode)) + "', but " + folder +
                " has rows of " + std::to_string(deepest) + " numbers, and int32 sums hold " +
                std::to_string(kernels::kInt8MaxDepth) + ": choose w8a16, bf16 or fp32");
  }
}

void tell_model(const std::string& folder, const std::string& quant, const LlmConfig& config,
                const WeightStore& weights, int ranks) {
  if (is_int8(quant_mode_of(weights.mode())) && !kernels::int8_level_warning().empty()) {
    spdlog::warn("{}", kernels::int8_level_warning());
  }
  spdlog::info("model {}: {} layers, hidden {}, quant {}{}{}, {:.1f} MB of weights here", folder,
               config.layers, config.hidden_size, weights.mode(), quant == "auto" ? " (auto)" : "",
               ranks > 1 ? ", shared by " + std::to_string(ranks) + " ranks" : "",
               static_cast<double>(weights.frozen_bytes()) * 1e-6);
}

// The checkpoint's tensors as vectors, and its int8 layers from the cache or quantised.
DeviceWeightSource device_source(const LlmConfig& config, const TensorSource& tensors,
                                 Int8LayerCache& cache) {
  return {
      [&tensors](const std::string& name, const std::vector<std::int64_t>& shape, RowRange rows) {
        const at::Tensor values = tensors(name, shape, rows).contiguous();
        const float* from = values.const_data_ptr<float>();
        return std::vector<float>(from, from + values.numel());
      },
      [&config, &tensors, &cache](const Int8LayerLayout& layout, std::int64_t layer,
                                  Int8LayerLayout::PanelRange range) {
        Int8Panels panels = load_panels(config, layout, layer, range, tensors, cache);
        // Shared layers are whole on no host.
        if (panels.bytes.size() == layout.bytes() && cache.lacks(layer)) {
          cache.write(layer, layout, panels.bytes.data(), panels.scales.data());
        }
        return panels;
      }};
}

TensorSource source_of(CheckpointSource& checkpoint) {
  return [&checkpoint](const std::string& name, const std::vector<std::int64_t>& shape,
                       RowRange rows) { return checkpoint.load(name, shape, rows); };
}

}  // namespace

std::unique_ptr<CausalLm> load_causal_lm(const std::string& folder, const std::string& quant,
                                         distributed::Communicator* share_with, LayerTrace* trace,
                                         const Int8CacheOptions& cache) {
  const QuantMode mode = quant_mode_of(quant);
  const LlmConfig config = read_llm_config(folder);
  refuse_deep_sums(config, mode, folder);
  // ATen keeps its number of threads per calling thread where ranks are threads.
  at::set_num_threads(thread_count());
  CheckpointSource checkpoint(folder);
  const bool shared = share_with != nullptr && share_with->size() > 1 && is_int8(mode);
  auto weights =
      make_weights(config, mode, source_of(checkpoint), Int8LayerCache(cache, checkpoint.paths()),
                   shared ? share_with : nullptr);
  checkpoint.refuse_unexpected(config.tied_embeddings);
  tell_model(folder, quant, config, *weights, shared ? share_with->size() : 1);
  if (trace != nullptr) {
    weights = trace_layers(std::move(weights), *trace);
  }
  return std::make_unique<LlamaCausalLm>(config, std::move(weights));
}

std::unique_ptr<CausalLm> load_causal_lm_on_device(const std::string& folder,
                                                   const std::string& quant,
                                                   std::unique_ptr<distributed::PlaceOwner> owner,
                                                   bool share, const Int8CacheOptions& cache) {
  const distributed::Place place = owner->place();
  const QuantMode mode = quant_mode_of(quant, place.queue.device);
  const LlmConfig config = read_llm_config(folder);
  refuse_deep_sums(config, mode, folder);
  CheckpointSource checkpoint(folder);
  const TensorSource tensors = source_of(checkpoint);
  Int8LayerCache layers(cache, checkpoint.paths());
  auto weights =
      make_device_weights(config, mode, device_source(config, tensors, layers), place, share);
  checkpoint.refuse_unexpected(config.tied_embeddings);
  const bool shared = share && is_int8(mode);
  tell_model(folder, quant, config, *weights, shared ? place.host.size() : 1);
  return std::make_unique<LlamaCausalLm>(config, std::move(weights), std::move(owner));
}

}  // namespace rallrec::models::llm
