#include "models/llm/int8_layer_cache.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "core/error.h"
#include "io/files.h"
#include "io/hash.h"
#include "io/safetensors.h"
#include "kernels/int8_matmul.h"

namespace rallrec::models::llm {
namespace {

// Of the files below. Another way to quantise or to pack is another format.
constexpr const char* kFormat = "rallrec int8 layer 1";
constexpr auto kPanelRows = static_cast<std::size_t>(kernels::kInt8PanelColumns);

std::string folder_of_model(const std::string& root, const std::vector<std::string>& files) {
  std::string identity = kFormat;
  for (const std::string& file : files) {
    const std::string path = std::filesystem::canonical(file).string();
    struct stat status = {};
    if (stat(path.c_str(), &status) != 0) {
      throw_io(path, "stat", errno);
    }
    // Archives and image builders give every file the same time of modification, and two sets of
    // weights for one config.json have the same size; the inode's time they cannot set.
    identity +=
        fmt::format("\n{} {} {}.{:09} {}.{:09}", path, status.st_size, status.st_mtim.tv_sec,
                    status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
  }
  const std::string model =
      files.empty() ? "model"
                    : io::name_of(io::folder_of(std::filesystem::absolute(files.front())));
  return root + "/" + model + "-" + io::xxh3_128_hex(identity);
}

std::uint64_t checksum_of(const std::int8_t* panel, std::size_t bytes, const float* scales) {
  io::Xxh3 hash;
  hash.update(panel, bytes);
  hash.update(scales, kPanelRows * sizeof(float));
  return hash.digest()[0];
}

// Where panels [range) of a layer lie in the blob, and the checksums of what is there.
struct Span {
  std::size_t first_byte = 0;
  std::size_t bytes = 0;
  std::vector<std::size_t> panel_bytes;
};

Span span_of(const Int8LayerLayout& layout, Int8LayerLayout::PanelRange range) {
  Span span;
  for (const Linear linear : kLinears) {
    const Int8LayerLayout::Matrix& matrix = layout[linear];
    for (std::size_t p = matrix.first_panel; p < matrix.first_panel + matrix.panels; ++p) {
      if (p < range.first) {
        span.first_byte += matrix.panel_bytes;
      } else if (p < range.last) {
        span.bytes += matrix.panel_bytes;
        span.panel_bytes.push_back(matrix.panel_bytes);
      }
    }
  }
  return span;
}

std::vector<std::uint64_t> checksums_of(const Span& span, const std::int8_t* panels,
                                        const float* scales) {
  std::vector<std::uint64_t> checksums;
  for (const std::size_t bytes : span.panel_bytes) {
    checksums.push_back(checksum_of(panels, bytes, scales));
    panels += bytes;
    scales += kPanelRows;
  }
  return checksums;
}

const io::TensorInfo& tensor_of(const io::SafetensorsFile& file, const std::string& name,
                                io::TensorType type, std::size_t size) {
  const io::TensorInfo& tensor = file.get(name);
  if (tensor.type != type || tensor.shape != std::vector<std::int64_t>{std::int64_t(size)}) {
    throw_bad_data(file.path(), "tensor " + name + " has another type or shape");
  }
  return tensor;
}

void read_verified(const std::string& path, const Int8LayerLayout& layout,
                   Int8LayerLayout::PanelRange range, const Span& span, std::int8_t* panels,
                   float* scales) {
  const io::SafetensorsFile file(path);
  const std::size_t count = range.last - range.first;
  const auto first = static_cast<std::int64_t>(range.first);
  const auto rows = [](std::size_t number) { return static_cast<std::int64_t>(number); };
  std::vector<std::uint64_t> expected(count);
  file.read_rows(tensor_of(file, "panels", io::TensorType::kU8, layout.bytes()),
                 rows(span.first_byte), rows(span.bytes), panels);
  file.read_rows(tensor_of(file, "scales", io::TensorType::kF32, layout.scales()),
                 first * rows(kPanelRows), rows(count * kPanelRows), scales);
  file.read_rows(tensor_of(file, "checksums", io::TensorType::kI64, layout.scales() / kPanelRows),
                 first, rows(count), expected.data());
  if (checksums_of(span, panels, scales) != expected) {
    throw_bad_data(path, "a checksum does not match");
  }
}

}  // namespace

Int8LayerCache::Int8LayerCache(const Int8CacheOptions& options,
                               const std::vector<std::string>& model_files)
    : folder_(options.folder.empty() ? "" : folder_of_model(options.folder, model_files)),
      write_(options.write) {}

std::string Int8LayerCache::file_of(std::int64_t layer) const {
  return fmt::format("{}/layer_{:04}.safetensors", folder_, layer);
}

bool Int8LayerCache::read(std::int64_t layer, const Int8LayerLayout& layout,
                          Int8LayerLayout::PanelRange range, std::vector<std::int8_t>& panels,
                          std::vector<float>& scales) {
  const auto number = static_cast<std::size_t>(layer);
  missing_.resize(std::max(missing_.size(), number + 1));
  missing_[number] = true;
  if (folder_.empty() || !io::file_exists(file_of(layer))) {
    return false;
  }
  const std::size_t bytes_before = panels.size();
  const std::size_t scales_before = scales.size();
  try {
    const Span span = span_of(layout, range);
    panels.resize(bytes_before + span.bytes);
    scales.resize(scales_before + (range.last - range.first) * kPanelRows);
    read_verified(file_of(layer), layout, range, span, panels.data() + bytes_before,
                  scales.data() + scales_before);
  } catch (const Error& error) {
    spdlog::warn("{}; the layer is quantised again", error.what());
    panels.resize(bytes_before);
    scales.resize(scales_before);
    return false;
  }
  missing_[number] = false;
  return true;
}

bool Int8LayerCache::lacks(std::int64_t layer) const {
  return write_ && !folder_.empty() && missing_.at(static_cast<std::size_t>(layer));
}

void Int8LayerCache::write(std::int64_t layer, const Int8LayerLayout& layout,
                           const std::int8_t* panels, const float* scales) {
  missing_.at(static_cast<std::size_t>(layer)) = false;
  const std::size_t count = layout.scales() / kPanelRows;
  const std::vector<std::uint64_t> checksums =
      checksums_of(span_of(layout, {0, count}), panels, scales);
  const auto tensor = [](const char* name, io::TensorType type, std::size_t size,
                         const void* data) {
    return io::TensorToWrite{name, type, {static_cast<std::int64_t>(size)}, data};
  };
  try {
    io::make_directories(folder_);
    io::write_safetensors(file_of(layer),
                          {tensor("panels", io::TensorType::kU8, layout.bytes(), panels),
                           tensor("scales", io::TensorType::kF32, layout.scales(), scales),
                           tensor("checksums", io::TensorType::kI64, count, checksums.data())},
                          {{"format", kFormat}});
  } catch (const Error& error) {
    write_ = false;
    spdlog::warn("{}; quantised weights are not kept for the next start (model.cache)",
                 error.what());
  }
}

}  // namespace rallrec::models::llm
