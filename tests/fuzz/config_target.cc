// A run's TOML file, and the same bytes as a grid of an experiment.
#include "config/grid.h"
#include "config/load.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/refusal.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const testing::MemoryFolder folder("config");
  const std::string file = folder.put("a.toml", testing::text_of(bytes, count));
  config::Sources sources;
  sources.file = file;
  testing::take_or_refuse([&] { config::load_config(sources); });
  testing::take_or_refuse([&] { config::read_grid(file); });
  return 0;
}
