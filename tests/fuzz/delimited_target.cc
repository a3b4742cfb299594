// Delimited rows: the first byte chooses separator, quotes and encoding.
#include "io/delimited.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/refusal.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  if (count == 0) {
    return 0;
  }
  static const testing::MemoryFolder folder("delimited");
  static const char* const separators[] = {"\t", "::", ",", ";"};
  const std::string file = folder.put("a.txt", testing::text_of(bytes + 1, count - 1));
  io::DelimitedOptions options;
  options.separator = separators[bytes[0] % 4];
  options.quotes = static_cast<io::Quotes>(bytes[0] / 4 % 3);
  options.encoding = static_cast<io::Encoding>(bytes[0] / 12 % 3);
  options.quoted_line_ends = options.quotes == io::Quotes::kDoubled && bytes[0] / 36 % 2 == 1;
  options.max_row_bytes = 4096;
  options.bad_rows.max_bad_rows = 3;
  testing::take_or_refuse([&] {
    io::for_each_row(file, options, [](const io::DelimitedRow& row) {
      if (row.size() > 1) {
        row.get_int(0, "first");
        row.get_number(1, "second");
      }
    });
  });
  return 0;
}
