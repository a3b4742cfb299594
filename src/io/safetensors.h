#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/input_file.h"
#include "io/safetensors_header.h"

namespace rallrec::io {

struct SafetensorsLimits {
  std::uint64_t max_header_bytes = std::uint64_t{32} << 20;
};

// One safetensors file, open for reading. Construction reads and checks the header (see
// parse_safetensors_header) and nothing else; the reads below take just the bytes asked for. Reads
// may run in several threads at once. Errors: bad data (65), missing (66), I/O (74).
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path, const SafetensorsLimits& limits = {});

  const std::string& path() const { return file_.path(); }
  const std::vector<TensorInfo>& tensors() const { return header_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  std::uint64_t data_bytes() const { return file_.size() - data_begin_; }

  // Null where there is no such tensor.
  const TensorInfo* find(const std::string& name) const;
  // Bad data that names the tensor where there is none.
  const TensorInfo& get(const std::string& name) const;

  // The whole tensor into `out`, which holds end - begin bytes.
  void read(const TensorInfo& tensor, void* out) const;
  // Rows [first, first + rows) along the first dimension, packed.
  void read_rows(const TensorInfo& tensor, std::int64_t first, std::int64_t rows, void* out) const;

 private:
  InputFile file_;
  std::uint64_t data_begin_ = 0;
  SafetensorsHeader header_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

// The weights of a Hugging Face model folder: model.safetensors, or the shards that
// model.safetensors.index.json names. Shard names must be plain file names, and no shard may be a
// link out of the folder (links into the blobs/ of the Hugging Face cache that the folder is part
// of are fine). Every name of the index must be in its shard.
class SafetensorsFolder {
 public:
  explicit SafetensorsFolder(const std::string& folder, const SafetensorsLimits& limits = {});

  // Sorted.
  std::vector<std::string> names() const;
  const TensorInfo* find(const std::string& name) const;
  const TensorInfo& get(const std::string& name) const;
  // The file that holds the tensor.
  const SafetensorsFile& file_of(const std::string& name) const;
  void read_rows(const std::string& name, std::int64_t first, std::int64_t rows, void* out) const;
  // The same rows widened to fp32; F32, F16 and BF16 only, another type is bad data.
  void read_rows_as_float(const std::string& name, std::int64_t first, std::int64_t rows,
                          float* out) const;
  // All files, in order of name; for hashes.
  std::vector<std::string> paths() const;
  // What is odd but harmless, for the log.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  void open_index(const std::string& index_path, const SafetensorsLimits& limits);
  const SafetensorsFile* open_shard(const std::string& index_path, const std::string& name,
                                    const SafetensorsLimits& limits);

  std::string folder_;
  std::map<std::string, std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, const SafetensorsFile*> by_name_;
  std::vector<std::string> warnings_;
};

// A tensor to be written: `data` points at its bytes, C order; or `produce` is called when its turn
// comes and must hand exactly its bytes, in pieces, to the function it gets.
struct TensorToWrite {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;
  const void* data = nullptr;
  std::function<void(const std::function<void(const void*, std::size_t)>&)> produce = nullptr;
};

// Writes a safetensors file atomically. The same tensors give the same bytes whatever their order
// in the list: the widest types come first, then by name, as the reference writer sorts them.
void write_safetensors(const std::string& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace rallrec::io
