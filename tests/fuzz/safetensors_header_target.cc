// The header of a safetensors file: two bytes of the data's size, then the header.
#include "io/safetensors_header.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/refusal.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  if (count < 2) {
    return 0;
  }
  const std::uint64_t data = bytes[0] + 256U * bytes[1];
  testing::take_or_refuse([&] {
    const io::SafetensorsHeader header =
        io::parse_safetensors_header("fuzz", testing::text_of(bytes + 2, count - 2), data);
    // What was taken can be written and read again.
    io::parse_safetensors_header("again", io::format_safetensors_header(header), data);
  });
  return 0;
}
