#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "io/files.h"
#include "io/json_value.h"
#include "io/safetensors.h"
#include "io/utf8.h"

namespace rallrec::io {
namespace {

constexpr std::uint64_t kMaxIndexBytes = std::uint64_t{64} << 20;
constexpr std::int64_t kWidenedPerRead = std::int64_t{1} << 20;

// Empty where the file cannot be resolved.
std::string resolved(const std::string& path) {
  char* const text = ::realpath(path.c_str(), nullptr);
  std::string result = text == nullptr ? "" : text;
  std::free(text);
  return result;
}

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

// The Hugging Face cache keeps snapshots/<commit>/<file> as links into blobs/ beside snapshots/.
bool stays_inside(const std::string& folder, const std::string& file) {
  const std::string home = resolved(folder);
  const std::string target = resolved(file);
  if (home.empty() || target.empty() || folder_of(target) == home) {
    return true;
  }
  const std::string snapshots = folder_of(home);
  return name_of(snapshots) == "snapshots" && folder_of(target) == folder_of(snapshots) + "/blobs";
}

}  // namespace

SafetensorsFolder::SafetensorsFolder(const std::string& folder, const SafetensorsLimits& limits)
    : folder_(folder) {
  if (!file_exists(folder)) {
    throw_missing(folder, "no such model folder");
  }
  if (!is_folder(folder)) {
    throw_bad_data(folder, "is a file; a model folder was expected");
  }
  const std::string single = folder + "/model.safetensors";
  const std::string index = folder + "/model.safetensors.index.json";
  if (file_exists(single)) {
    auto file = std::make_unique<SafetensorsFile>(single, limits);
    for (const TensorInfo& tensor : file->tensors()) {
      by_name_.emplace(tensor.name, file.get());
    }
    files_.emplace("model.safetensors", std::move(file));
  } else if (file_exists(index)) {
    open_index(index, limits);
  } else {
    throw_missing(folder, "holds neither model.safetensors nor model.safetensors.index.json");
  }
}

void SafetensorsFolder::open_index(const std::string& index_path, const SafetensorsLimits& limits) {
  const JsonValue index = parse_json(index_path, read_file(index_path, kMaxIndexBytes));
  const JsonValue* const map = index.find("weight_map");
  if (map == nullptr || map->object() == nullptr) {
    throw_bad_data(index_path, "expected an object under the key 'weight_map'");
  }
  std::uint64_t total = 0;
  for (const JsonMember& member : *map->object()) {
    if (member.value.string() == nullptr) {
      throw_bad_data(index_path,
                     "weight_map key " + shown(member.key) + ": expected the name of a file");
    }
    const SafetensorsFile* const file = open_shard(index_path, *member.value.string(), limits);
    const TensorInfo* const tensor = file->find(member.key);
    if (tensor == nullptr) {
      throw_bad_data(index_path,
                     "tensor " + shown(member.key) + " is not in " + *member.value.string());
    }
    total += tensor->end - tensor->begin;
    by_name_.emplace(member.key, file);
  }
  const JsonValue* const metadata = index.find("metadata");
  const JsonValue* const claimed = metadata == nullptr ? nullptr : metadata->find("total_size");
  double claimed_bytes = 0;
  if (claimed != nullptr &&
      (!claimed->number(&claimed_bytes) || claimed_bytes != static_cast<double>(total))) {
    warnings_.push_back(index_path + ": total_size is wrong; the tensors take " +
                        std::to_string(total) + " bytes");
  }
}

const SafetensorsFile* SafetensorsFolder::open_shard(const std::string& index_path,
                                                     const std::string& name,
                                                     const SafetensorsLimits& limits) {
  if (const auto found = files_.find(name); found != files_.end()) {
    return found->second.get();
  }
  if (!is_plain_name(name)) {
    throw_bad_data(index_path,
                   "shard " + shown(name) + " must be the plain name of a file beside it");
  }
  const std::string path = folder_ + "/" + name;
  if (!file_exists(path)) {
    throw_missing(path, "no such file, but " + index_path + " names it");
  }
  if (!stays_inside(folder_, path)) {
    throw_bad_data(path,
                   "is a link out of the model folder; copy the file into the folder instead");
  }
  const auto placed = files_.emplace(name, std::make_unique<SafetensorsFile>(path, limits));
  return placed.first->second.get();
}

std::vector<std::string> SafetensorsFolder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : by_name_) {
    names.push_back(entry.first);
  }
  return names;
}

const TensorInfo* SafetensorsFolder::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second->find(name);
}

const SafetensorsFile& SafetensorsFolder::file_of(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    throw_bad_data(folder_, "tensor '" + name + "' is missing from the model's safetensors files");
  }
  return *found->second;
}

const TensorInfo& SafetensorsFolder::get(const std::string& name) const {
  return file_of(name).get(name);
}

void SafetensorsFolder::read_rows(const std::string& name, std::int64_t first, std::int64_t rows,
                                  void* out) const {
  const SafetensorsFile& file = file_of(name);
  file.read_rows(file.get(name), first, rows, out);
}

void SafetensorsFolder::read_rows_as_float(const std::string& name, std::int64_t first,
                                           std::int64_t rows, float* out) const {
  const SafetensorsFile& file = file_of(name);
  const TensorInfo& tensor = file.get(name);
  if (tensor.type != TensorType::kF32 && tensor.type != TensorType::kF16 &&
      tensor.type != TensorType::kBf16) {
    throw_bad_data(file.path(), "tensor '" + name + "' is " + name_of(tensor.type) +
                                    "; F32, F16 or BF16 was expected");
  }
  const std::uint64_t row_bytes =
      tensor.shape.empty() || tensor.shape[0] == 0
          ? 0
          : (tensor.end - tensor.begin) / static_cast<std::uint64_t>(tensor.shape[0]);
  const std::size_t row_values = row_bytes / size_of(tensor.type);
  // Blocks keep the narrow copy small beside a big matrix.
  const std::int64_t block_rows = std::max<std::int64_t>(
      1, kWidenedPerRead / std::max<std::int64_t>(1, static_cast<std::int64_t>(row_values)));
  std::vector<char> block;
  for (std::int64_t done = 0; done < rows; done += block_rows) {
    const std::int64_t count = std::min(block_rows, rows - done);
    block.resize(static_cast<std::size_t>(count) * row_bytes);
    file.read_rows(tensor, first + done, count, block.data());
    widen_to_float(tensor.type, block.data(), static_cast<std::size_t>(count) * row_values,
                   out + static_cast<std::size_t>(done) * row_values);
  }
}

std::vector<std::string> SafetensorsFolder::paths() const {
  std::vector<std::string> paths;
  for (const auto& entry : files_) {
    paths.push_back(folder_ + "/" + entry.first);
  }
  return paths;
}

}  // namespace rallrec::io
