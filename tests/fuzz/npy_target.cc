// A NumPy array file.
#include "io/npy.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/refusal.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const testing::MemoryFolder folder("npy");
  const std::string file = folder.put("a.npy", testing::text_of(bytes, count));
  testing::take_or_refuse([&] { io::read_npy(file).to_float(); });
  return 0;
}
