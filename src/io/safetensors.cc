#include "io/safetensors.h"

#include "core/check.h"
#include "core/error.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little endian");

namespace rallrec::io {
namespace {

constexpr std::uint64_t kPrefix = 8;

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path, const SafetensorsLimits& limits)
    : file_(path) {
  if (file_.size() < kPrefix) {
    throw_bad_data(path, "not a safetensors file: " + std::to_string(file_.size()) +
                             " bytes are fewer than the 8 of the header's length");
  }
  std::uint64_t header_bytes = 0;
  file_.read_exactly(0, &header_bytes, sizeof(header_bytes));
  if (header_bytes > file_.size() - kPrefix) {
    throw_bad_data(path, "not a safetensors file, or cut off: the header claims " +
                             std::to_string(header_bytes) + " bytes, the file holds " +
                             std::to_string(file_.size() - kPrefix) + " behind the length");
  }
  if (header_bytes > limits.max_header_bytes) {
    throw_bad_data(path, "the header is " + std::to_string(header_bytes) + " bytes; at most " +
                             std::to_string(limits.max_header_bytes) + " are read");
  }
  std::string text(header_bytes, '\0');
  file_.read_exactly(kPrefix, text.data(), text.size());
  data_begin_ = kPrefix + header_bytes;
  header_ = parse_safetensors_header(path, text, file_.size() - data_begin_);
  for (std::size_t i = 0; i < header_.tensors.size(); ++i) {
    by_name_.emplace(header_.tensors[i].name, i);
  }
}

const TensorInfo* SafetensorsFile::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &header_.tensors[found->second];
}

const TensorInfo& SafetensorsFile::get(const std::string& name) const {
  const TensorInfo* const tensor = find(name);
  if (tensor == nullptr) {
    throw_bad_data(path(), "tensor '" + name + "' is missing");
  }
  return *tensor;
}

void SafetensorsFile::read(const TensorInfo& tensor, void* out) const {
  file_.read_exactly(data_begin_ + tensor.begin, out, tensor.end - tensor.begin);
}

void SafetensorsFile::read_rows(const TensorInfo& tensor, std::int64_t first, std::int64_t rows,
                                void* out) const {
  RALLREC_CHECK(!tensor.shape.empty(), "tensor '" + tensor.name + "' is a scalar and has no rows");
  const std::int64_t all = tensor.shape.front();
  RALLREC_CHECK(first >= 0 && rows >= 0 && first <= all && rows <= all - first,
                "rows out of range in tensor '" + tensor.name + "'");
  if (rows == 0) {
    return;
  }
  const std::uint64_t row_bytes = (tensor.end - tensor.begin) / static_cast<std::uint64_t>(all);
  file_.read_exactly(data_begin_ + tensor.begin + static_cast<std::uint64_t>(first) * row_bytes,
                     out, static_cast<std::uint64_t>(rows) * row_bytes);
}

}  // namespace rallrec::io
