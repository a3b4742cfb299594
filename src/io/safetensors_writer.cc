#include <algorithm>

#include "core/check.h"
#include "io/atomic_file.h"
#include "io/safetensors.h"

namespace rallrec::io {
namespace {

std::uint64_t bytes_of(const TensorToWrite& tensor) {
  std::uint64_t bytes = size_of(tensor.type);
  for (const std::int64_t dimension : tensor.shape) {
    RALLREC_CHECK(dimension >= 0, "tensor '" + tensor.name + "' has a negative dimension");
    bytes *= static_cast<std::uint64_t>(dimension);
  }
  return bytes;
}

// Wide types first keeps every tensor aligned to its element.
std::vector<const TensorToWrite*> in_file_order(const std::vector<TensorToWrite>& tensors) {
  std::vector<const TensorToWrite*> order;
  for (const TensorToWrite& tensor : tensors) {
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](const TensorToWrite* a, const TensorToWrite* b) {
    return a->type != b->type ? a->type > b->type : a->name < b->name;
  });
  return order;
}

void write_data(AtomicFile& file, const TensorToWrite& tensor) {
  const std::uint64_t bytes = bytes_of(tensor);
  if (!tensor.produce) {
    file.write(tensor.data, bytes);
    return;
  }
  std::uint64_t written = 0;
  tensor.produce([&](const void* piece, std::size_t count) {
    file.write(piece, count);
    written += count;
  });
  RALLREC_CHECK(written == bytes, "tensor '" + tensor.name + "' produced " +
                                      std::to_string(written) + " bytes of " +
                                      std::to_string(bytes));
}

}  // namespace

void write_safetensors(const std::string& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::vector<const TensorToWrite*> order = in_file_order(tensors);
  SafetensorsHeader header;
  header.metadata = metadata;
  std::uint64_t at = 0;
  for (const TensorToWrite* tensor : order) {
    RALLREC_CHECK(header.tensors.empty() || header.tensors.back().name != tensor->name,
                  "tensor '" + tensor->name + "' is given twice");
    const std::uint64_t end = at + bytes_of(*tensor);
    header.tensors.push_back({tensor->name, tensor->type, tensor->shape, at, end});
    at = end;
  }
  const std::string text = format_safetensors_header(header);
  const std::uint64_t text_bytes = text.size();
  AtomicFile file(path);
  file.write(&text_bytes, sizeof(text_bytes));
  file.write(text);
  for (const TensorToWrite* tensor : order) {
    write_data(file, *tensor);
  }
  file.commit();
}

}  // namespace rallrec::io
