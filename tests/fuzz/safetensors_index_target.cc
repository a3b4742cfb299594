// The index of a model's shards, beside one real shard.
#include "io/safetensors.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/refusal.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const testing::MemoryFolder folder("safetensors_index");
  static const bool shard = [] {
    const float values[2] = {1.0F, 2.0F};
    io::write_safetensors(folder.path() + "/a.safetensors",
                          {{"x", io::TensorType::kF32, {2}, values, nullptr}});
    return true;
  }();
  (void)shard;
  folder.put("model.safetensors.index.json", testing::text_of(bytes, count));
  testing::take_or_refuse([] { io::SafetensorsFolder(folder.path()).names(); });
  return 0;
}
