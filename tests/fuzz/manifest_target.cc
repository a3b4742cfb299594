// A stage's manifest: anything that is none is taken as missing.
#include "io/artifact_store.h"
#include "tests/fuzz/memory_folder.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const testing::MemoryFolder folder("manifest");
  const std::string file = folder.put("manifest.json", testing::text_of(bytes, count));
  if (const auto manifest = io::read_manifest(file)) {
    io::key_of(*manifest);
  }
  return 0;
}
