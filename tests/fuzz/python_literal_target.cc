// A line of old Amazon metadata.
#include "io/python_literal.h"
#include "io/utf8.h"
#include "tests/fuzz/memory_folder.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  const std::string_view text = testing::text_of(bytes, count);
  if (io::find_invalid_utf8(text) == std::string_view::npos) {
    io::JsonValue value;
    io::JsonParser::Problem problem;
    io::parse_python_literal(text, &value, &problem);
  }
  return 0;
}
