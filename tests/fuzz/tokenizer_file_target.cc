// tokenizer.json.
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/refusal.h"
#include "text/tokenizer_file.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const testing::MemoryFolder folder("tokenizer_file");
  const std::string file = folder.put("tokenizer.json", testing::text_of(bytes, count));
  testing::take_or_refuse([&] { text::read_tokenizer_file(file); });
  return 0;
}
