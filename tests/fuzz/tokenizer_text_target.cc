// Any text through the tokenizer of the tests, which has a token for every byte, and back.
#include <cstdlib>

#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/refusal.h"
#include "text/tokenizer.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const auto tokenizer =
      text::Tokenizer::load(RALLREC_SOURCE_DIR "/tests/fixtures/tiny_tokenizer");
  const std::string_view text = testing::text_of(bytes, count);
  testing::take_or_refuse([&] {
    text::check_text(text, "fuzz");
    const std::vector<std::int64_t> ids = tokenizer.encode(text);
    if (tokenizer.decode(ids) != text) {
      std::abort();
    }
  });
  return 0;
}
