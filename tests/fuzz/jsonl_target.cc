// JSON Lines, or an array of objects.
#include "io/jsonl.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/refusal.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const testing::MemoryFolder folder("jsonl");
  const std::string file = folder.put("a.jsonl", testing::text_of(bytes, count));
  io::JsonlOptions options;
  options.max_record_bytes = 4096;
  options.bad_rows.max_bad_rows = count > 0 ? bytes[0] % 4 : 0;
  testing::take_or_refuse([&] { io::for_each_record(file, options, [](const auto&) {}); });
  return 0;
}
