// config.json of a model.
#include "models/llm/llm_config.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/fuzz/refusal.h"

using namespace rallrec;  // NOLINT(google-build-using-namespace): a target is one function

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const testing::MemoryFolder folder("model_config");
  folder.put("config.json", testing::text_of(bytes, count));
  testing::take_or_refuse([] { models::llm::read_llm_config(folder.path()); });
  return 0;
}
