// A RecBole data set: .inter, .item and .user between bytes of 0xFF.
#include <algorithm>

#include "data/datasets/atomic.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/refusal.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const testing::MemoryFolder folder("atomic");
  std::string_view rest = testing::text_of(bytes, count);
  std::string file;
  for (const char* name : {"a.inter", "a.item", "a.user"}) {
    const std::size_t end = std::min(rest.find('\xFF'), rest.size());
    const std::string path = folder.put(name, rest.substr(0, end));
    file = file.empty() ? path : file;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  data::ReadOptions options;
  options.max_bad_rows = 3;
  testing::take_or_refuse([&] { data::read_atomic(file, options); });
  return 0;
}
