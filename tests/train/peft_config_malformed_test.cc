#include <gtest/gtest.h>

#include "io/files.h"
#include "tests/support/malformed.h"
#include "tests/train/fake_causal_lm.h"
#include "train/peft_adapter.h"
#include "train/peft_config.h"

namespace rallrec::train {
namespace {

using rallrec::testing::expect_refused;
using rallrec::testing::Malformed;

// A good adapter_config.json with `from`, which it holds, replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = peft_config_text({{}, "base"});
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? "" : text.replace(at, from.size(), to);
}
std::string with_r(const std::string& r) { return changed("\"r\": 8", "\"r\": " + r); }
std::string with_modules(const std::string& list) {
  return changed("[\n    \"q_proj\",\n    \"v_proj\"\n  ]", list);
}

std::vector<Malformed> cases() {
  const std::string whole = "key 'r': expected an integer from 1 to 65536";
  const std::string alpha = "key 'lora_alpha': expected a number above 0";
  const std::string layer = "is no linear layer of a Llama decoder, or is named twice";
  return {
      {"empty", "", ":1:1: the JSON text ends too early"},
      {"cut off", changed("\"use_rslora\": false\n}\n", "\"use_rslora"),
       "the JSON text ends too early"},
      {"True of Python", changed("\"use_dora\": false", "\"use_dora\": False"),
       ": not valid JSON near"},
      {"key twice", with_r("8, \"r\": 16"), "key 'r' appears twice"},
      {"an array", "[]", "expected a JSON object"},
      {"no rank", with_r("0"), whole},
      {"negative rank", with_r("-1"), whole},
      {"fraction of a rank", with_r("8.5"), whole},
      {"huge rank", with_r("65537"), whole},
      {"rank as text", with_r("\"8\""), "key 'r': expected a number, found a string"},
      {"no scale", changed("\"lora_alpha\": 16", "\"lora_alpha\": 0"), alpha},
      {"scale as text", changed("\"lora_alpha\": 16", "\"lora_alpha\": \"16\""),
       "key 'lora_alpha': expected a number, found a string"},
      {"dropout of all", changed("0.05", "1.0"),
       "key 'lora_dropout': expected a number of at least 0"},
      {"infinite dropout", changed("0.05", "Infinity"), ": not valid JSON near"},
      {"no modules", with_modules("[]"), "key 'target_modules': expected a list of module names"},
      {"modules as a pattern", with_modules("\".*_proj\""),
       "expected a list of module names such as"},
      {"module that is a number", with_modules("[3]"),
       "'target_modules': expected strings, found an"},
      {"module of the head", with_modules("[\"lm_head\"]"), "'lm_head' " + layer},
      {"module twice", with_modules("[\"q_proj\", \"q_proj\"]"), "'q_proj' " + layer},
      {"another method", changed("\"LORA\"", "\"LOHA\""), "key 'peft_type': expected \"LORA\""},
  };
}

TEST(PeftConfigMalformed, Texts) {
  expect_refused("adapter_config.json", cases(), 20,
                 [](const std::string& path) { read_peft_config(io::folder_of(path)); });
}

// The rank is believed only as far as the weights go: no memory is asked for.
TEST(PeftConfigMalformed, MoreThanTheWeightsHold) {
  const rallrec::testing::TemporaryFolder folder;
  const models::llm::LoraAdapter adapter(fake_config(), {}, 1);
  write_peft_adapter(folder.path(), adapter, fake_config().layers, "base", false);
  folder.put("adapter_config.json", with_r("60000"));
  const bool refused = rallrec::testing::is_refused(
      ExitCode::kBadData, folder.path(), "holds fewer values than r = 60000",
      [&] { read_peft_adapter(folder.path(), fake_config()); });
  rallrec::testing::record_refused(refused ? 1 : 0, 1);
}

}  // namespace
}  // namespace rallrec::train
