#include "config/write.h"

#include <gtest/gtest.h>

#include <set>

#include "config/field.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::config {
namespace {

using rallrec::testing::TemporaryFolder;

Config reread(const std::string& text) {
  const TemporaryFolder folder;
  Sources sources;
  sources.file = folder.put("config.resolved.toml", text);
  return load_config(sources);
}

TEST(Resolved, ReadsBackToTheSameValues) {
  Sources sources;
  sources.sets = {"mode=paper",
                  "tune.learning_rate=0.1",
                  "align.learning_rate=1e-300",
                  "light_gcn.reg_weight=0.30000000000000004",
                  "tune.lora_alpha=16",
                  "retrieve.blocks=ssl,text",
                  "tune.seed=9223372036854775807",
                  "data.path=\"a \\\"b\\\" \\\\ \\t \\u0001 \\u007f é\""};
  const Config config = load_config(sources);
  const Config again = reread(resolved_toml(config.options));
  for (const Field& field : fields()) {
    EXPECT_EQ(to_toml(field.get(again.options)), to_toml(field.get(config.options)))
        << field.name();
    EXPECT_NE(again.origins.at(field.name()), "default") << field.name();
  }
  EXPECT_EQ(again.options.align.learning_rate, 1e-300);
  EXPECT_EQ(again.options.light_gcn.reg_weight, 0.30000000000000004);
  EXPECT_EQ(again.options.data.path, "a \"b\" \\ \t \x01 \x7f \xC3\xA9");
  // The file names every key, so its mode must not put the mode's defaults over them.
  EXPECT_FALSE(again.options.data.deduplicate);
}

TEST(SectionText, ChangesWithItsOwnKeysOnly) {
  Options options;
  const std::string tune = section_text(options, "tune");
  const std::string infer = section_text(options, "infer");
  options.tune.epochs += 1;
  EXPECT_NE(section_text(options, "tune"), tune);
  EXPECT_EQ(section_text(options, "infer"), infer);
  EXPECT_NE(tune.find("tune.epochs = 20\n"), std::string::npos);
}

TEST(SectionText, NamesASingleKeyToo) {
  Options options;
  EXPECT_EQ(section_text(options, "prompt.k"), "prompt.k = 30\n");
  EXPECT_EQ(section_text(options, "mode"), "mode = \"clean\"\n");
  EXPECT_EQ(section_text(options, "nonsense"), "");
}

TEST(Described, ShowsEveryKeyWithOriginAndHelpAndIsToml) {
  Sources sources;
  sources.sets = {"tune.epochs=3"};
  const Config config = load_config(sources);
  const std::string text = described_toml(config);
  for (const Field& field : fields()) {
    EXPECT_NE(text.find(field.key + " = "), std::string::npos) << field.name();
    EXPECT_NE(text.find(field.help), std::string::npos) << field.name();
    EXPECT_GT(field.help.size(), 5U) << field.name();
  }
  EXPECT_NE(text.find("passes over the training prompts [--set]"), std::string::npos);
  EXPECT_EQ(reread(text).options.tune.epochs, 3);
}

TEST(Fields, HaveDistinctNamesAndDefaultsThatPassTheirChecks) {
  std::set<std::string> names;
  for (const Field& field : fields()) {
    EXPECT_TRUE(names.insert(field.name()).second) << field.name();
    EXPECT_EQ(field.check(field.fallback), "") << field.name();
  }
}

TEST(Fields, HoldTheKeysThatOtherProgramsSet) {
  for (const char* name : {"tune.max_steps",
                           "tune.epochs",
                           "tune.learning_rate",
                           "tune.batch_size",
                           "tune.lora_r",
                           "tune.lora_alpha",
                           "tune.lora_dropout",
                           "tune.warmup_steps",
                           "tune.checkpoint_every",
                           "tune.keep_checkpoints",
                           "tune.seed",
                           "light_gcn.embedding_size",
                           "light_gcn.layers",
                           "light_gcn.batch_size",
                           "light_gcn.epochs",
                           "light_gcn.learning_rate",
                           "light_gcn.reg_weight",
                           "light_gcn.seed",
                           "baseline.epochs",
                           "baseline.patience",
                           "baseline.batch_size",
                           "baseline.embedding_size",
                           "baseline.learning_rate",
                           "baseline.seed",
                           "prompt.chat_format",
                           "model.quant",
                           "mode"}) {
    EXPECT_NE(find_field(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace rallrec::config
