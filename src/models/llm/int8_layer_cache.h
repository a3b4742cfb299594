#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "models/llm/int8_cache_options.h"
#include "models/llm/int8_layer_layout.h"

namespace rallrec::models::llm {

// Quantised decoder layers on disk, so that a second start reads half of the bytes that the bf16
// weights have and quantises nothing. One safetensors file per layer:
//   panels    U8 [bytes]     the blob of Int8LayerLayout
//   scales    F32 [scales]   those of its panels
//   checksums I64 [panels]   XXH3-64 of a panel's bytes and scales
// It serves any number of ranks: a rank reads and verifies the panels it keeps. What is missing or
// damaged is taken from the weights again; what cannot be written is left out with a warning.
class Int8LayerCache {
 public:
  // None: nothing is read or written.
  Int8LayerCache() = default;
  // The cache of a model made of these files: a folder whose name follows from their resolved
  // paths, sizes and times, that of the content and that of the inode.
  Int8LayerCache(const Int8CacheOptions& options, const std::vector<std::string>& model_files);

  // The layer's panels of the range and their scales, appended. False, with both as they were,
  // where the file is not there or, with a warning, damaged; the layer is then missing.
  bool read(std::int64_t layer, const Int8LayerLayout& layout, Int8LayerLayout::PanelRange range,
            std::vector<std::int8_t>& panels, std::vector<float>& scales);

  // Whether the layer was missing when it was read, or was said to be.
  bool misses(std::int64_t layer) const { return missing_.at(static_cast<std::size_t>(layer)); }
  // Other ranks read other parts of the file; what one of them misses is to be written.
  void miss(std::int64_t layer) { missing_.at(static_cast<std::size_t>(layer)) = true; }
  // Whether this process is to write the layer.
  bool lacks(std::int64_t layer) const;
  // The whole layer: layout.bytes() bytes and layout.scales() scales.
  void write(std::int64_t layer, const Int8LayerLayout& layout, const std::int8_t* panels,
             const float* scales);

 private:
  std::string file_of(std::int64_t layer) const;

  std::string folder_;
  bool write_ = false;
  std::vector<bool> missing_;  // by layer
};

}  // namespace rallrec::models::llm
