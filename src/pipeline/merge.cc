#include "pipeline/merge.h"

#include <ATen/ops/add.h>
#include <ATen/ops/all.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mul.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/safetensors.h"
#include "models/llm/lora_adapter.h"
#include "pipeline/external_inputs.h"
#include "pipeline/load_model.h"

namespace rallrec::pipeline {
namespace {

namespace fs = std::filesystem;
using models::llm::Linear;
using models::llm::LoraAdapter;
using Sink = std::function<void(const void*, std::size_t)>;

constexpr std::int64_t kBytesPerRead = std::int64_t{8} << 20;

struct Place {
  std::int64_t layer = 0;
  Linear linear = Linear::kQ;
};

// The adapted weights by their name in the checkpoint.
std::map<std::string, Place> adapted_weights(const LoraAdapter& adapter, std::int64_t layers) {
  std::map<std::string, Place> places;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    for (const Linear linear : models::llm::kLinears) {
      if (adapter.layout().adapts(linear)) {
        places[models::llm::weight_name(layer, linear)] = {layer, linear};
      }
    }
  }
  return places;
}

// Rows of about kBytesPerRead at a time: first row, number of rows.
void for_row_blocks(const io::TensorInfo& tensor,
                    const std::function<void(std::int64_t, std::int64_t)>& visit) {
  const std::int64_t rows = tensor.shape.front();
  const std::int64_t row_bytes = static_cast<std::int64_t>(tensor.end - tensor.begin) / rows;
  const std::int64_t block = std::max<std::int64_t>(1, kBytesPerRead / row_bytes);
  for (std::int64_t row = 0; row < rows; row += block) {
    visit(row, std::min(block, rows - row));
  }
}

void copy_tensor(const io::SafetensorsFile& file, const io::TensorInfo& tensor, const Sink& sink) {
  const std::uint64_t bytes = tensor.end - tensor.begin;
  std::vector<char> part;
  if (tensor.shape.empty() || bytes == 0) {
    part.resize(bytes);
    file.read(tensor, part.data());
    sink(part.data(), part.size());
    return;
  }
  const std::uint64_t row_bytes = bytes / static_cast<std::uint64_t>(tensor.shape.front());
  for_row_blocks(tensor, [&](std::int64_t row, std::int64_t rows) {
    part.resize(static_cast<std::uint64_t>(rows) * row_bytes);
    file.read_rows(tensor, row, rows, part.data());
    sink(part.data(), part.size());
  });
}

at::ScalarType scalar_type_of(const std::string& path, const io::TensorInfo& tensor) {
  switch (tensor.type) {
    case io::TensorType::kF32:
      return at::kFloat;
    case io::TensorType::kBf16:
      return at::kBFloat16;
    case io::TensorType::kF16:
      return at::kHalf;
    default:
      throw_bad_data(path, "tensor '" + tensor.name + "' is " + io::name_of(tensor.type) +
                               "; an adapter is merged into F32, F16 or BF16");
  }
}

void check_shape(const std::string& path, const io::TensorInfo& tensor, const at::Tensor& a,
                 const at::Tensor& b) {
  if (tensor.shape != std::vector<std::int64_t>{b.size(0), a.size(1)}) {
    throw_bad_data(path, "tensor '" + tensor.name + "' has shape " + tensor.shape_text() +
                             ", but the adapter is for [" + std::to_string(b.size(0)) + ", " +
                             std::to_string(a.size(1)) + "]");
  }
}

void merge_tensor(const io::SafetensorsFile& file, const io::TensorInfo& tensor,
                  const LoraAdapter& adapter, const Place& place, const Sink& sink) {
  const at::Tensor a = lora_a(adapter.layout(), adapter.flat(), place.layer, place.linear);
  const at::Tensor b = lora_b(adapter.layout(), adapter.flat(), place.layer, place.linear);
  const at::ScalarType stored = scalar_type_of(file.path(), tensor);
  check_shape(file.path(), tensor, a, b);
  const at::Tensor wide_a = a.to(at::kDouble);
  for_row_blocks(tensor, [&](std::int64_t row, std::int64_t rows) {
    const at::Tensor raw = at::empty({rows, tensor.shape[1]}, stored);
    file.read_rows(tensor, row, rows, raw.mutable_data_ptr());
    const at::Tensor delta = at::matmul(b.narrow(0, row, rows).to(at::kDouble), wide_a);
    const at::Tensor merged = (raw.to(at::kDouble) + delta * adapter.scale()).to(stored);
    if (!at::isfinite(merged).all().item<bool>()) {
      throw_bad_data(file.path(), "tensor '" + tensor.name + "': a merged weight in rows " +
                                      std::to_string(row) + " to " +
                                      std::to_string(row + rows - 1) +
                                      " is not finite: the weights or the adapter are damaged");
    }
    sink(merged.const_data_ptr(), static_cast<std::size_t>(merged.nbytes()));
  });
}

// Writes one shard; takes what it merged out of `places`.
void merge_file(const std::string& path, const std::string& output, const LoraAdapter& adapter,
                std::map<std::string, Place>& places) {
  const io::SafetensorsFile file(path);
  std::vector<io::TensorToWrite> tensors;
  for (const io::TensorInfo& tensor : file.tensors()) {
    io::TensorToWrite write{tensor.name, tensor.type, tensor.shape};
    const auto found = places.find(tensor.name);
    if (found == places.end()) {
      write.produce = [&file, &tensor](const Sink& sink) { copy_tensor(file, tensor, sink); };
    } else {
      const Place place = found->second;
      write.produce = [&file, &tensor, &adapter, place](const Sink& sink) {
        merge_tensor(file, tensor, adapter, place, sink);
      };
      places.erase(found);
    }
    tensors.push_back(std::move(write));
  }
  io::write_safetensors(output + "/" + io::name_of(path), tensors, file.metadata());
}

// Config, tokenizer, index: everything but weights in another format, which would be the old ones.
void copy_other_files(const std::string& model, const std::string& output,
                      const std::set<std::string>& written) {
  const std::set<std::string> weights = {".bin", ".pt", ".pth", ".gguf", ".safetensors", ".h5"};
  for (const fs::directory_entry& entry : fs::directory_iterator(model)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || written.count(name) != 0) {
      continue;
    }
    if (weights.count(entry.path().extension().string()) != 0) {
      spdlog::warn("{}: not copied, since the adapter is not merged into it",
                   entry.path().string());
      continue;
    }
    fs::copy_file(entry.path(), fs::path(output) / name);
  }
}

}  // namespace

std::int64_t merge_adapter(const MergeFiles& files) {
  require_model_folder(files.model);
  if (io::file_exists(files.output)) {
    throw_usage("--output " + files.output + " exists; name a folder that does not");
  }
  const models::llm::LlmConfig config = models::llm::read_llm_config(files.model);
  const LoraAdapter adapter = *load_adapter(files.adapter, files.model);
  std::map<std::string, Place> places = adapted_weights(adapter, config.layers);
  const auto merged = static_cast<std::int64_t>(places.size());
  const io::SafetensorsFolder weights(files.model);
  for (const auto& [name, place] : places) {
    weights.get(name);
  }
  io::make_directories(io::folder_of(files.output));
  const io::TemporaryFolder folder(files.output + ".tmp-" + std::to_string(::getpid()));
  std::set<std::string> written;
  for (const std::string& path : weights.paths()) {
    spdlog::info("merge: {}", path);
    merge_file(path, folder.path(), adapter, places);
    written.insert(io::name_of(path));
  }
  copy_other_files(files.model, folder.path(), written);
  io::sync_folder(folder.path());
  io::rename_folder(folder.path(), files.output);
  io::sync_folder(io::folder_of(files.output));
  return merged;
}

}  // namespace rallrec::pipeline
