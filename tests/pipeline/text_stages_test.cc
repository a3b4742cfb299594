// describe and embed one after the other in a run folder.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "data/dataset_file.h"
#include "data/field_table.h"
#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "io/hdf5_file.h"
#include "io/utf8.h"
#include "pipeline/describe.h"
#include "pipeline/embed.h"
#include "pipeline/refcompat_embedding.h"
#include "pipeline/text_generator.h"
#include "tests/support/reference_text.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thread_count_guard.h"
#include "tests/support/tiny_model.h"
#include "text/chat_template.h"

namespace rallrec::pipeline {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kItems = 11;
constexpr int kUntitled = 4;  // has no metadata at all
constexpr int kTokens = 9;
constexpr std::int64_t kHidden = 32;

// In the order of the catalogue, which is sorted.
std::string name_of(int item) { return std::string(1, static_cast<char>('a' + item)); }

std::string title_of(int item) {
  return item == kUntitled
             ? ""
             : "Film " + std::to_string(item * item) + " (19" + std::to_string(10 + item) + ")";
}

data::Dataset made_up() {
  data::RawData raw;
  raw.source = "made up";
  data::FieldBuilder title("title", data::FieldKind::kToken);
  for (int item = 0; item < kItems; ++item) {
    raw.items.add(name_of(item));
    if (item != kUntitled) {
      title.add(title_of(item));
    }
    title.end_row();
    for (const char* user : {"ann", "bob"}) {
      raw.interactions.user.push_back(raw.users.add(user));
      raw.interactions.item.push_back(item);
      raw.interactions.rating.push_back(static_cast<float>(1 + item % 5));
      raw.interactions.timestamp.push_back(item);
    }
  }
  raw.item_fields.fields.push_back(title.take());
  return data::build_dataset(std::move(raw), {});
}

class TextStages : public ::testing::Test {
 protected:
  TextStages() {
    rallrec::testing::write_tiny_model(folder_.file("model"));
    options_.model.path = folder_.file("model");
    options_.model.quant = "fp32";
    options_.embed.quant = "fp32";
    options_.embed.token_budget = 64;
    options_.describe.max_new_tokens = kTokens;
    options_.describe.batch_size = 3;
    options_.describe.temperature = 0.0;
    options_.prompt.templates =
        std::string(RALLREC_SOURCE_DIR) + "/configs/prompts/movielens_compact.toml";
  }

  std::string run_on(int ranks) {
    const std::string run = folder_.file("run" + std::to_string(ranks));
    for (const std::string stage : {"ingest", "describe", "embed"}) {
      io::make_directories(run + "/" + stage);
    }
    data::save_dataset(run + "/ingest/interactions.h5", made_up());
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      StageContext context{options_, communicator, run};
      run_describe(context);
      run_embed(context);
    });
    return run;
  }

  void expect_same_on_two_and_three_ranks() {
    const std::string one = run_on(1), two = run_on(2), three = run_on(3);
    for (const std::string file : {"/describe/descriptions.jsonl", "/embed/text_embeddings.h5"}) {
      EXPECT_EQ(io::read_file(one + file), io::read_file(two + file)) << file;
      EXPECT_EQ(io::read_file(one + file), io::read_file(three + file)) << file;
    }
  }

  static std::vector<Json> descriptions(const std::string& run) {
    std::istringstream stream(io::read_file(run + "/describe/descriptions.jsonl"));
    std::vector<Json> lines;
    for (std::string line; std::getline(stream, line);) {
      lines.push_back(Json::parse(line));
    }
    return lines;
  }

  const rallrec::testing::TemporaryFolder folder_;
  const rallrec::testing::ThreadCountGuard one_thread_{1};
  config::Options options_;
};

TEST_F(TextStages, ADescriptionIsTheGreedyTextOfPlainForwardPasses) {
  const std::vector<Json> lines = descriptions(run_on(1));
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kItems - 1));
  const auto model = models::llm::load_causal_lm(options_.model.path, "fp32");
  const auto tokenizer = text::Tokenizer::load(options_.model.path);
  const text::ChatTemplate chat(tokenizer, {});
  std::set<std::string> different;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const int item = static_cast<int>(i) + (i < kUntitled ? 0 : 1);
    const std::string prompt =
        "Describe this film in two sentences: plot, themes and tone.\n" + title_of(item);
    EXPECT_EQ(lines[i]["item"], name_of(item));
    EXPECT_EQ(lines[i]["prompt"], prompt);
    const auto ids = rallrec::testing::greedy_ids(
        *model, chat.prompt_ids("", prompt), kTokens, tokenizer.vocab_size(),
        {*tokenizer.special_id("<|im_end|>"), *tokenizer.special_id("<|endoftext|>")});
    EXPECT_EQ(lines[i]["description"], on_one_line(io::repair_utf8(tokenizer.decode(ids))));
    different.insert(lines[i]["description"]);
  }
  EXPECT_GT(different.size(), 3U);
}

TEST_F(TextStages, AnEmbeddingIsTheMeanOverTheTextsTokens) {
  const std::string run = run_on(1);
  std::vector<std::string> texts;  // titles, then descriptions
  for (int item = 0; item < kItems; ++item) {
    texts.push_back(item == kUntitled ? name_of(item) : title_of(item));
  }
  texts.resize(2 * kItems);
  for (const Json& line : descriptions(run)) {
    const char item = line["item"].get<std::string>().front();
    texts[static_cast<std::size_t>(kItems + item - 'a')] = line["description"];
  }
  const io::Hdf5File file(run + "/embed/text_embeddings.h5");
  EXPECT_EQ(file.info("text").shape, (std::vector<std::int64_t>{kItems, 2 * kHidden}));
  const auto values = file.read_matrix<float>("text");
  const auto model = models::llm::load_causal_lm(options_.model.path, "fp32");
  const auto tokenizer = text::Tokenizer::load(options_.model.path);
  for (std::size_t item = 0; item < kItems; ++item) {
    for (std::size_t half = 0; half < 2; ++half) {
      const std::string& text = texts[half * kItems + item];
      const std::vector<double> mean =
          text.empty() ? std::vector<double>(kHidden)
                       : rallrec::testing::mean_hidden(*model, tokenizer.encode(text));
      for (std::size_t k = 0; k < kHidden; ++k) {
        EXPECT_NEAR(values[(2 * item + half) * kHidden + k], mean[k], 2e-5) << item << " " << half;
      }
    }
  }
}

TEST_F(TextStages, TheLastItemHasNoTextWhereItIsDropped) {
  options_.refcompat.drop_last_item = true;
  const std::string run = run_on(2);
  EXPECT_EQ(descriptions(run).size(), static_cast<std::size_t>(kItems - 2));
  const auto text = io::Hdf5File(run + "/embed/text_embeddings.h5").read_matrix<float>("text");
  for (std::size_t k = 0; k < 2 * kHidden; ++k) {
    EXPECT_EQ(text[(kItems - 1) * 2 * kHidden + k], 0.0f);
  }
  EXPECT_NE(text[(kItems - 2) * 2 * kHidden], 0.0f);
}

TEST_F(TextStages, AGeneratedStateIsThatOfTheLastTokenReadOfAContinuation) {
  options_.refcompat.generated_state = true;
  const std::string run = run_on(1);
  const auto values = io::Hdf5File(run + "/embed/text_embeddings.h5").read_matrix<float>("text");
  const auto model = models::llm::load_causal_lm(options_.model.path, "fp32");
  const auto tokenizer = text::Tokenizer::load(options_.model.path);
  const std::vector<std::int64_t> title = tokenizer.encode(title_of(2));
  const auto written = rallrec::testing::greedy_ids(
      *model, title, 256, tokenizer.vocab_size(),
      {*tokenizer.special_id("<|im_end|>"), *tokenizer.special_id("<|endoftext|>")});
  const auto read = text_as_read(title, written, 256);
  ASSERT_FALSE(read.empty());
  const at::Tensor states = rallrec::testing::hidden_of(*model, read).contiguous();
  const float* last = states.data_ptr<float>() + (states.size(0) - 1) * kHidden;
  for (std::size_t k = 0; k < kHidden; ++k) {
    EXPECT_NEAR(values[2 * 2 * kHidden + k], last[k], 5e-4) << k;
  }
  expect_same_on_two_and_three_ranks();
}

TEST_F(TextStages, WithoutDescribeTitlesAloneAreEmbedded) {
  const std::string both = run_on(1);
  const std::vector<float> text =
      io::Hdf5File(both + "/embed/text_embeddings.h5").read_matrix<float>("text");
  std::filesystem::remove_all(both + "/describe");
  options_.stages = {"ingest", "embed"};
  distributed::LocalCommunicator communicator;
  StageContext context{options_, communicator, both};
  run_embed(context);
  const io::Hdf5File file(both + "/embed/text_embeddings.h5");
  EXPECT_FALSE(file.has("text"));
  const auto title = file.read_matrix<float>("title");
  ASSERT_EQ(file.info("title").shape, (std::vector<std::int64_t>{kItems, kHidden}));
  for (std::size_t item = 0; item < kItems; ++item) {
    for (std::size_t k = 0; k < kHidden; ++k) {
      EXPECT_EQ(title[item * kHidden + k], text[2 * item * kHidden + k]) << item;
    }
  }
}

TEST_F(TextStages, WriteTheSameBytesOnAnyNumberOfRanks) { expect_same_on_two_and_three_ranks(); }

TEST_F(TextStages, WriteTheSameSampledBytesOnAnyNumberOfRanks) {
  const std::string greedy = io::read_file(run_on(1) + "/describe/descriptions.jsonl");
  options_.describe.temperature = 1.0;
  expect_same_on_two_and_three_ranks();
  EXPECT_NE(io::read_file(folder_.file("run1/describe/descriptions.jsonl")), greedy);
}

}  // namespace
}  // namespace rallrec::pipeline
