#include "config/load.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "config/field.h"
#include "config/sizes.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::config {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

class Load : public ::testing::Test {
 protected:
  Sources file(const std::string& text) {
    Sources sources;
    sources.file = folder_.put("run.toml", text);
    return sources;
  }
  static Sources set(std::vector<std::string> sets) {
    Sources sources;
    sources.sets = std::move(sets);
    return sources;
  }
  void expect_usage(const Sources& sources, const std::string& text) {
    expect_error(ExitCode::kUsage, text, [&] { load_config(sources); });
  }
  std::string path() const { return folder_.file("run.toml"); }

  TemporaryFolder folder_;
};

TEST_F(Load, WithoutSourcesGivesTheDefaultsOfModeClean) {
  const Config config = load_config({});
  EXPECT_EQ(config.options.mode, "clean");
  EXPECT_TRUE(config.options.data.deduplicate);
  EXPECT_EQ(config.options.light_gcn.edges, "up_to_last_train");
  EXPECT_EQ(config.origins.at("data.deduplicate"), "mode clean");
  EXPECT_EQ(config.options.tune.batch_size, TuneOptions().batch_size);
  EXPECT_EQ(config.origins.at("tune.batch_size"), "default");
  EXPECT_EQ(config.origins.size(), fields().size());
}

TEST_F(Load, ModePaperLeavesThePublishedProtocol) {
  const Config config = load_config(file("mode = 'paper'\n"));
  EXPECT_FALSE(config.options.data.deduplicate);
  EXPECT_EQ(config.options.light_gcn.edges, "leave_one_out");
  EXPECT_EQ(config.origins.at("data.deduplicate"), "default");
}

TEST_F(Load, GraphEdgesGoByModeAndDataSet) {
  const auto edges = [this](const std::string& mode) {
    return load_config(file("mode = '" + mode + "'\n[data]\ndataset = 'amazon'\n"))
        .options.light_gcn.edges;
  };
  EXPECT_EQ(edges("paper"), "leave_one_out_of_samples");
  EXPECT_EQ(edges("refcompat"), "leave_one_out_of_samples");
  EXPECT_EQ(edges("clean"), "up_to_last_train");
}

TEST_F(Load, ModeCleanRefusesEdgesOfTestInteractions) {
  expect_error(ExitCode::kUsage, "run.toml:2:1: 'light_gcn.edges' = \"leave_one_out\" makes edges",
               [this] { load_config(file("[light_gcn]\nedges = 'leave_one_out'\n")); });
}

// Else the row "clean" of a table would not be.
TEST_F(Load, EveryConfigOfTheRepositoryCanBeClean) {
  std::size_t configs = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(RALLREC_SOURCE_DIR "/configs")) {
    const std::string folder = entry.path().parent_path().filename().string();
    if (entry.path().extension() != ".toml" || folder == "experiments" || folder == "prompts" ||
        folder == "scaling") {
      continue;
    }
    Sources sources;
    sources.file = entry.path().string();
    sources.sets = {"mode=clean"};
    const Options options = load_config(sources).options;
    EXPECT_EQ(options.light_gcn.edges, "up_to_last_train") << sources.file;
    EXPECT_TRUE(options.data.deduplicate) << sources.file;
    ++configs;
  }
  EXPECT_GE(configs, 60U);
}

TEST_F(Load, ModeRefcompatTurnsOnWhatTheDataSetKnows) {
  const auto flags = [this](const std::string& dataset) {
    const Config config =
        load_config(file("mode = 'refcompat'\n[data]\ndataset = '" + dataset + "'\n"));
    EXPECT_EQ(config.options.tune.select_on, "test");
    EXPECT_EQ(config.origins.at("refcompat.max_norm"), "mode refcompat");
    EXPECT_EQ(config.options.light_gcn.edges, "leave_one_out");
    EXPECT_FALSE(config.options.data.deduplicate);
    return config.options.refcompat;
  };
  const RefcompatOptions movielens = flags("movielens-1m");
  EXPECT_TRUE(movielens.ml1m_index_shift);
  EXPECT_TRUE(movielens.drop_last_item);
  EXPECT_TRUE(movielens.eval_first_10000);
  EXPECT_FALSE(movielens.rerank_repeat_bug);
  EXPECT_FALSE(movielens.amazon_hybrid_empty);
  EXPECT_EQ(movielens.pca_text, 128);
  const RefcompatOptions other = flags("atomic");
  EXPECT_FALSE(other.ml1m_index_shift);
  EXPECT_FALSE(other.drop_last_item);
  EXPECT_TRUE(other.squash_prob);
  const Config one_off =
      load_config(file("mode = 'refcompat'\n[refcompat]\nmax_norm = false\npca_text = 0\n"));
  EXPECT_FALSE(one_off.options.refcompat.max_norm);
  EXPECT_EQ(one_off.options.refcompat.pca_text, 0);
  EXPECT_TRUE(one_off.options.refcompat.double_bos);
}

TEST_F(Load, WithoutModeRefcompatEveryDeviationIsOff) {
  for (const char* mode : {"mode=paper", "mode=clean"}) {
    const Options options = load_config(set({mode})).options;
    for (const Field& field : fields()) {
      if (field.section == "refcompat") {
        EXPECT_EQ(to_toml(field.get(options)), field.key == "pca_text" ? "0" : "false")
            << field.name();
      }
    }
    EXPECT_EQ(options.tune.select_on, "valid");
  }
}

TEST_F(Load, AKeyInTheFileWinsOverAModeGivenLater) {
  Sources sources = file("[data]\ndeduplicate = false\n");
  sources.sets = {"mode=clean"};
  const Config config = load_config(sources);
  EXPECT_FALSE(config.options.data.deduplicate);
  EXPECT_EQ(config.options.light_gcn.edges, "up_to_last_train");
}

TEST_F(Load, TheMeetingPointOfGpusIsMpiAFileOrAnAddress) {
  EXPECT_EQ(load_config({}).options.cluster.nccl_init, "mpi");
  for (const std::string value : {"mpi", "file:/shared/job7", "tcp:10.0.0.1:29500"}) {
    EXPECT_EQ(load_config(set({"cluster.nccl_init=" + value})).options.cluster.nccl_init, value);
  }
  for (const std::string value : {"nccl", "file:", "tcp:host", "tcp::1", "tcp:host:70000"}) {
    expect_usage(set({"cluster.nccl_init=" + value}), "must be mpi, file:PATH or tcp:HOST:PORT");
  }
  Sources sources;
  sources.environment = {"RALLREC_NCCL_TOKEN=0123456789", "RALLREC_CLUSTER__NCCL_INIT=file:here"};
  EXPECT_EQ(load_config(sources).options.cluster.nccl_init, "file:here");
}

TEST_F(Load, CommandLineWinsOverEnvironmentOverFileOverDefault) {
  Sources sources = file("[tune]\nepochs = 1\nlora_r = 1\nseed = 1\nwarmup_steps = 1\n");
  sources.environment = {"RALLREC_TUNE__LORA_R=2", "RALLREC_TUNE__SEED=2",
                         "RALLREC_TUNE__WARMUP_STEPS=2"};
  sources.sets = {"tune.seed=3", "tune.warmup_steps=3"};
  sources.flags = {{"tune.warmup_steps", "4", "--warmup"}};
  const Config config = load_config(sources);
  EXPECT_EQ(config.options.tune.epochs, 1);
  EXPECT_EQ(config.options.tune.lora_r, 2);
  EXPECT_EQ(config.options.tune.seed, 3);
  EXPECT_EQ(config.options.tune.warmup_steps, 4);
  EXPECT_EQ(config.origins.at("tune.epochs"), path() + ":2:1");
  EXPECT_EQ(config.origins.at("tune.lora_r"), "environment RALLREC_TUNE__LORA_R");
  EXPECT_EQ(config.origins.at("tune.seed"), "--set");
  EXPECT_EQ(config.origins.at("tune.warmup_steps"), "--warmup");
}

TEST_F(Load, ReadsEveryType) {
  const Config config =
      load_config(file("[data]\ndeduplicate = true\nmin_history = 7\nlabel_threshold = 4\n"
                       "[light_gcn]\nreg_weight = 2.5e-3\n[retrieve]\nblocks = ['ssl', 'text']\n"));
  EXPECT_TRUE(config.options.data.deduplicate);
  EXPECT_EQ(config.options.data.min_history, 7);
  EXPECT_EQ(config.options.data.label_threshold, 4.0);  // an integer where a number is wanted
  EXPECT_EQ(config.options.light_gcn.reg_weight, 2.5e-3);
  EXPECT_EQ(config.options.retrieve.blocks, (Strings{"ssl", "text"}));
}

TEST_F(Load, SetTakesTomlBareTextAndLists) {
  const Config config = load_config(
      set({"data.path=/some/folder", "model.path=\"quoted = path\"", "tune.learning_rate=1e-4",
           "retrieve.blocks=text,ssl", "tune.target_modules=[\"q_proj\"]", "prompt.templates=123",
           "data.deduplicate=false"}));
  EXPECT_EQ(config.options.data.path, "/some/folder");
  EXPECT_EQ(config.options.model.path, "quoted = path");
  EXPECT_EQ(config.options.tune.learning_rate, 1e-4);
  EXPECT_EQ(config.options.retrieve.blocks, (Strings{"text", "ssl"}));
  EXPECT_EQ(config.options.tune.target_modules, (Strings{"q_proj"}));
  EXPECT_EQ(config.options.prompt.templates, "123");
  EXPECT_FALSE(config.options.data.deduplicate);
}

TEST_F(Load, UnknownKeysNameThePlaceAndTheNearestKey) {
  expect_usage(file("[tune]\n\n  epoch = 3\n"),
               path() + ":3:3: unknown key 'tune.epoch'; did you mean 'epochs'?");
  expect_usage(file("[tunes]\nepochs = 3\n"),
               path() + ":1:2: unknown section [tunes]; did you mean");
  expect_usage(file("epochs = 3\n"), "1:1: unknown key [epochs]");
  expect_usage(file("tune = 3\n"), "'tune' is a section; write [tune]");
  expect_usage(file("[tune.epochs]\nx = 1\n"), "'tune.epochs' must be an integer");
  expect_usage(file("[mode]\n"), "'mode' must be text");
  expect_usage(set({"tune.epoch=3"}),
               "--set: unknown key 'tune.epoch'; did you mean 'tune.epochs'?");
  expect_usage(set({"tune.epochs"}), "--set tune.epochs: must be section.key=value");
  expect_usage(set({"=3"}), "unknown key ''");
  Sources sources;
  sources.environment = {"RALLREC_TUNE__EPOCH=3"};
  expect_usage(sources, "RALLREC_TUNE__EPOCH: names no key; did you mean 'RALLREC_TUNE__EPOCHS'?");
}

TEST_F(Load, AFileInheritsFromItsBaseAndOriginsNameTheFileOfAValue) {
  std::filesystem::create_directories(folder_.file("small"));
  const std::string root =
      folder_.put("root.toml", "mode = 'paper'\n[tune]\nepochs = 1\nseed = 1\n");
  const std::string middle =
      folder_.put("middle.toml", "base = 'root.toml'\n[tune]\nseed = 2\nlora_r = 2\n");
  Sources sources;
  sources.file = folder_.put("small/leaf.toml", "base = '../middle.toml'\n[tune]\nlora_r = 3\n");
  const Config config = load_config(sources);
  EXPECT_EQ(config.options.mode, "paper");
  EXPECT_EQ(config.options.tune.epochs, 1);
  EXPECT_EQ(config.options.tune.seed, 2);
  EXPECT_EQ(config.options.tune.lora_r, 3);
  EXPECT_EQ(config.origins.at("tune.epochs"), root + ":3:1");
  EXPECT_EQ(config.origins.at("tune.seed"), middle + ":3:1");
  EXPECT_EQ(config.origins.at("tune.lora_r"), sources.file + ":3:1");
  sources.sets = {"tune.epochs=7"};
  EXPECT_EQ(load_config(sources).options.tune.epochs, 7);
}

TEST_F(Load, ABaseThatIsMissingWrongOrBasedOnItselfNamesThePlace) {
  expect_error(ExitCode::kMissingInput, path() + ":2:8: 'base' names " + folder_.file("none.toml"),
               [&] { load_config(file("\nbase = 'none.toml'\n")); });
  expect_usage(file("base = 3\n"), path() + ":1:8: 'base' must be the name of a config file");
  expect_usage(file("base = ''\n"), "'base' must be the name of a config file");
  expect_usage(file("base = 'run.toml'\n"), path() + ":1:8: 'base' names " + path());
  const std::string other = folder_.put("other.toml", "\n\nbase = './run.toml'\n");
  expect_usage(file("base = 'other.toml'\n"), other + ":3:8: 'base' names " + path());
  folder_.put("other.toml", "[tune]\nepoch = 1\n");
  expect_usage(file("base = 'other.toml'\n"), other + ":2:1: unknown key 'tune.epoch'");
  expect_usage(file("bse = 'other.toml'\n"), "unknown key [bse]; did you mean 'base'?");
}

TEST_F(Load, StagesAreThoseOfARunOnceEach) {
  EXPECT_EQ(load_config({}).options.stages.size(), 10U);
  EXPECT_EQ(load_config(set({"stages=ingest,baseline,evaluate"})).options.stages,
            (Strings{"ingest", "baseline", "evaluate"}));
  expect_usage(file("stages = ['ingest', 'tone']\n"),
               path() + ":1:1: 'stages' names no stage with 'tone'; did you mean 'tune'?");
  expect_usage(set({"stages=ingest,ingest"}), "each once");
  expect_usage(set({"stages=[]"}), "must name at least one");
}

TEST_F(Load, HybridRetrievalJoinsTwoBlocks) {
  expect_usage(file("[retrieve]\nhybrid = 'counts'\n"),
               path() + ":2:1: 'retrieve.hybrid' = \"counts\" joins two blocks");
  EXPECT_EQ(load_config(set({"retrieve.hybrid=scores", "retrieve.blocks=text,colla"}))
                .options.retrieve.hybrid,
            "scores");
}

TEST_F(Load, OtherVariablesAreNotOurs) {
  Sources sources;
  sources.environment = {"RALLREC_SHARED_DIR=/x", "PATH=/bin", "RALLREC_TUNE__EPOCHS", "=", "",
                         "RALLREC_MODE=paper"};
  EXPECT_EQ(load_config(sources).options.mode, "paper");
}

TEST_F(Load, WrongTypesSayWhatIsExpected) {
  expect_usage(file("[tune]\nepochs = 3.5\n"), path() + ":2:10: 'tune.epochs' must be an integer");
  expect_usage(file("[tune]\nepochs = '3'\n"), "'tune.epochs' must be an integer");
  expect_usage(file("[tune]\nepochs = true\n"), "must be an integer");
  expect_usage(file("[tune]\nlearning_rate = 'fast'\n"), "must be a number");
  expect_usage(file("[data]\npath = 3\n"), "must be text");
  expect_usage(file("[data]\ndeduplicate = 1\n"), "must be true or false");
  expect_usage(file("[retrieve]\nblocks = 'text'\n"), "must be a list");
  expect_usage(file("[retrieve]\nblocks = ['text', 3]\n"), "must be a list");
  expect_usage(file("[tune]\nepochs = 2020-01-01\n"), "must be an integer");
  expect_usage(set({"tune.epochs=many"}),
               "--set tune.epochs=many: 'tune.epochs' must be an integer");
  expect_usage(set({"tune.epochs="}), "must be an integer");
  expect_usage(set({"data.path=\xff\xfe"}), "'data.path' must be text");
}

TEST_F(Load, WrongRangesSayTheRangeAndTheValue) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"tune.epochs=0", "must be at least 1; it is 0"},
      {"tune.batch_size=-4", "must be from 1 to"},
      {"tune.learning_rate=nan", "must be finite and above 0"},
      {"tune.learning_rate=inf", "must be finite and above 0"},
      {"tune.learning_rate=0.0", "must be finite and above 0"},
      {"tune.lora_dropout=1.0", "must be at least 0.0 and below 1.0"},
      {"align.temperature=-inf", "must be at least"},
      {"data.train_share=1.5", "must be above 0.0 and below 1.0"},
      {"data.dataset=netflix", "must be one of movielens-100k"},
      {"mode=dirty", "must be one of paper, clean, refcompat"},
      {"retrieve.blocks=[]", "must name at least one"},
      {"retrieve.blocks=text,text", "each once"},
      {"retrieve.blocks=text,picture", "of text, title, colla, ssl"},
      {"prompt.rerank_alpha=3/2", "must be a ratio"},
      {"prompt.rerank_alpha=2/0", "must be a ratio"},
      {"prompt.rerank_alpha=-1/2", "must be a ratio"},
      {"prompt.rerank_alpha=0.5", "must be a ratio"},
      {"prompt.rerank_alpha=1/", "must be a ratio"}};
  for (const auto& [setting, message] : wrong) {
    expect_usage(set({setting}), message);
  }
  EXPECT_EQ(load_config(set({"prompt.rerank_alpha=4/5"})).options.prompt.rerank_alpha, "4/5");
}

TEST_F(Load, SharesMustLeaveATest) {
  expect_usage(set({"data.train_share=0.9", "data.valid_share=0.1"}), "no test is left");
  expect_usage(set({"data.split=shuffle"}), "needs 'data.samples' = \"last_per_user\"");
  EXPECT_EQ(
      load_config(set({"data.split=shuffle", "data.samples=last_per_user"})).options.data.split,
      "shuffle");
  EXPECT_EQ(
      load_config(set({"data.train_share=0.5", "data.valid_share=0.0"})).options.data.valid_share,
      0.0);
}

TEST_F(Load, SizesOfLayersAreWholeNumbersWithHyphens) {
  const Config config = load_config(set({"baseline.mlp_sizes=64-32-8"}));
  EXPECT_EQ(read_sizes(config.options.baseline.mlp_sizes), (std::vector<std::int64_t>{64, 32, 8}));
  EXPECT_EQ(read_sizes("7"), (std::vector<std::int64_t>{7}));
  for (const char* text : {"''", "64-", "-64", "64--8", "0", "64-0", "8,4", "8 4", "65537"}) {
    expect_usage(set({std::string("baseline.mlp_sizes=") + text}),
                 "'baseline.mlp_sizes' must be whole numbers from 1 to 65536");
  }
}

TEST_F(Load, AttentionHeadsShareTheColumns) {
  expect_usage(set({"baseline.attention_heads=3"}), "must be a multiple of");
  EXPECT_EQ(load_config(set({"baseline.attention_heads=4"})).options.baseline.attention_heads, 4);
}

TEST_F(Load, AMissingFileIsMissingInput) {
  Sources sources;
  sources.file = folder_.file("none.toml");
  expect_error(ExitCode::kMissingInput, "none.toml: no such config file",
               [&] { load_config(sources); });
  sources.file = folder_.path();
  expect_usage(sources, "is not a file");
}

}  // namespace
}  // namespace rallrec::config
