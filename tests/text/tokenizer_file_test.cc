#include "text/tokenizer_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "tests/support/expect_error.h"
#include "tests/support/malformed.h"
#include "tests/text/tokenizer_paths.h"
#include "text/tokenizer.h"

namespace rallrec::text {
namespace {

using nlohmann::json;
using rallrec::testing::expect_error;
using rallrec::testing::is_refused;
using rallrec::testing::record_refused;
using rallrec::testing::TemporaryFolder;

json tiny() {
  std::ifstream file(tiny_tokenizer() + "/tokenizer.json");
  return json::parse(file);
}

struct Attack {
  const char* name;
  std::function<void(json&)> change;
  const char* message;
};

json& split_step(json& j) { return j["pre_tokenizer"]["pretokenizers"][0]; }

void use_split(json& j, const std::string& regex) {
  split_step(j) = {{"type", "Split"},
                   {"pattern", {{"Regex", regex}}},
                   {"behavior", "Isolated"},
                   {"invert", false}};
  j["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = false;
}

void use_template(json& j, const json& pieces, const json& specials) {
  j["post_processor"] = {
      {"type", "TemplateProcessing"}, {"single", pieces}, {"special_tokens", specials}};
}

const json kText = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
const json kBos = {{"SpecialToken", {{"id", "<|im_start|>"}, {"type_id", 0}}}};
const json kBosIds = {{"<|im_start|>", {{"id", "<|im_start|>"}, {"ids", {1}}}}};

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> list = {
      {"no_model", [](json& j) { j.erase("model"); }, "key \"model\" is missing"},
      {"model_is_a_list", [](json& j) { j["model"] = json::array(); }, "model: must be an object"},
      {"other_model", [](json& j) { j["model"]["type"] = "Unigram"; }, "must be \"BPE\""},
      {"type_is_a_number", [](json& j) { j["model"]["type"] = 3; }, "must be a string"},
      {"dropout", [](json& j) { j["model"]["dropout"] = 0.1; }, "model.dropout: must be null"},
      {"prefix", [](json& j) { j["model"]["continuing_subword_prefix"] = "##"; },
       "continuing_subword_prefix: must be null"},
      {"suffix", [](json& j) { j["model"]["end_of_word_suffix"] = "</w>"; },
       "end_of_word_suffix: must be null"},
      {"byte_fallback", [](json& j) { j["model"]["byte_fallback"] = true; }, "byte_fallback"},
      {"byte_fallback_is_text", [](json& j) { j["model"]["byte_fallback"] = "yes"; },
       "must be true or false"},
      {"normalizer",
       [](json& j) {
         j["normalizer"] = {{"type", "NFC"}};
       },
       "a normalizer"},
      {"no_vocab", [](json& j) { j["model"].erase("vocab"); }, "key \"vocab\" is missing"},
      {"vocab_is_a_list",
       [](json& j) {
         j["model"]["vocab"] = {1, 2};
       },
       "must be an object"},
      {"duplicate_id", [](json& j) { j["model"]["vocab"]["Yes"] = 5; }, "id 5 is used twice"},
      {"gap", [](json& j) { j["model"]["vocab"]["Yes"] = 292; }, "leaves a gap"},
      {"negative_id", [](json& j) { j["model"]["vocab"]["Yes"] = -1; }, "whole number from 0"},
      {"huge_id", [](json& j) { j["model"]["vocab"]["Yes"] = 1ULL << 40; }, "whole number from 0"},
      {"fractional_id", [](json& j) { j["model"]["vocab"]["Yes"] = 260.5; }, "whole number from 0"},
      {"id_is_text", [](json& j) { j["model"]["vocab"]["Yes"] = "260"; }, "whole number from 0"},
      {"empty_token", [](json& j) { j["model"]["vocab"][""] = 292; }, "a token has 0 bytes"},
      {"endless_token", [](json& j) { j["model"]["vocab"][std::string(2000, 'x')] = 292; },
       "a token has 2000 bytes"},
      {"foreign_letter", [](json& j) { j["model"]["vocab"]["日"] = 292; },
       "outside the byte-level alphabet"},
      {"merges_missing", [](json& j) { j["model"].erase("merges"); }, "key \"merges\" is missing"},
      {"merges_is_an_object",
       [](json& j) {
         j["model"]["merges"] = {{"a", 1}};
       },
       "be an array"},
      {"merge_without_space", [](json& j) { j["model"]["merges"][1] = "Yes"; }, "one space"},
      {"merge_of_three", [](json& j) { j["model"]["merges"][1] = "Y e s"; }, "one space"},
      {"merge_is_a_number", [](json& j) { j["model"]["merges"][1] = 4; }, "must be a string"},
      {"merge_list_of_three",
       [](json& j) {
         j["model"]["merges"][1] = {"Y", "e", "s"};
       },
       "must hold two tokens"},
      {"merge_left_unknown", [](json& j) { j["model"]["merges"][1] = "Qu e"; },
       "model.merges[1]: token \"Qu\" is not in model.vocab"},
      {"merge_right_unknown", [](json& j) { j["model"]["merges"][1] = "e Qu"; }, "\"Qu\" is not"},
      {"merge_result_unknown", [](json& j) { j["model"]["merges"][1] = "Y s"; }, "\"Ys\" is not"},
      {"merge_twice", [](json& j) { j["model"]["merges"][1] = "Y e"; }, "listed before"},
      {"merge_of_a_special_token",
       [](json& j) {
         j["model"]["vocab"]["<|im_end|>s"] = 292;
         j["model"]["merges"][1] = "<|im_end|> s";
       },
       "takes part in an added token"},
      {"merge_into_a_special_token",
       [](json& j) {
         j["added_tokens"].push_back({{"id", 260}, {"content", "Yes"}});
       },
       "takes part in an added token"},
      {"added_tokens_is_an_object", [](json& j) { j["added_tokens"] = json::object(); },
       "added_tokens: must be an array"},
      {"added_token_without_id", [](json& j) { j["added_tokens"][0].erase("id"); }, "key \"id\""},
      {"added_token_elsewhere", [](json& j) { j["added_tokens"][0]["id"] = 7; }, "in model.vocab"},
      {"added_token_twice", [](json& j) { j["added_tokens"].push_back(j["added_tokens"][0]); },
       "is listed twice"},
      {"added_token_far_away",
       [](json& j) {
         j["added_tokens"].push_back({{"id", 900}, {"content", "<x>"}});
       },
       "leaves a gap"},
      {"no_pre_tokenizer", [](json& j) { j["pre_tokenizer"] = nullptr; }, "\"pre_tokenizer\""},
      {"unknown_step", [](json& j) { split_step(j)["type"] = "Metaspace"; }, "\"Metaspace\""},
      {"unknown_regex", [](json& j) { use_split(j, "(a+)+$"); }, "unknown split regex \"(a+)+$\""},
      {"two_cutters",
       [](json& j) {
         use_split(j, "x");
         j["pre_tokenizer"]["pretokenizers"][0]["type"] = "ByteLevel";
       },
       "add_prefix_space"},
      {"digits_in_groups", [](json& j) { split_step(j)["individual_digits"] = false; },
       "individual_digits"},
      {"prefix_space",
       [](json& j) { j["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = true; },
       "add_prefix_space"},
      {"no_byte_level", [](json& j) { j["pre_tokenizer"]["pretokenizers"].erase(1); },
       "must end with ByteLevel"},
      {"nobody_cuts", [](json& j) { j["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = false; },
       "exactly one of"},
      {"unknown_post_processor",
       [](json& j) {
         j["post_processor"] = {{"type", "RobertaProcessing"}};
       },
       "\"RobertaProcessing\""},
      {"text_then_special",
       [](json& j) {
         use_template(j, {kText, kBos}, kBosIds);
       },
       "before the text"},
      {"two_specials",
       [](json& j) {
         use_template(j, {kBos, kBos, kText}, kBosIds);
       },
       "before the text"},
      {"special_without_ids",
       [](json& j) {
         use_template(j, {kBos, kText}, json::object());
       },
       "is missing"},
      {"special_out_of_range",
       [](json& j) {
         json ids = kBosIds;
         ids["<|im_start|>"]["ids"] = {5000};
         use_template(j, {kBos, kText}, ids);
       },
       "whole number from 0 to 291"},
  };
  return list;
}

TEST(TokenizerMalformed, Contents) {
  const TemporaryFolder folder;
  int refused = 0;
  for (const Attack& attack : attacks()) {
    SCOPED_TRACE(attack.name);
    json document = tiny();
    attack.change(document);
    const std::string path = folder.put("tokenizer.json", document.dump());
    refused += is_refused(ExitCode::kBadData, path, attack.message,
                          [&] { Tokenizer::load(folder.path()); });
  }
  record_refused(refused, 51);
}

TEST(TokenizerFile, RefusesAMissingFile) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kMissingInput, "tokenizer.json", [&] { Tokenizer::load(folder.path()); });
}

TEST(TokenizerFile, TakesBothSpellingsOfMerges) {
  json document = tiny();
  for (json& merge : document["model"]["merges"]) {
    const std::string both = merge;
    const std::size_t space = both.find(' ');
    merge = {both.substr(0, space), both.substr(space + 1)};
  }
  const TemporaryFolder folder;
  std::ofstream(folder.path() + "/tokenizer.json") << document;
  const std::string text = "Yes the stars  aaaaaaaaaaa 12";
  EXPECT_EQ(Tokenizer::load(folder.path()).encode(text),
            Tokenizer::load(tiny_tokenizer()).encode(text));
}

TEST(TokenizerFile, ReadsTheBosOfTheTemplate) {
  json document = tiny();
  use_template(document, {kBos, kText}, kBosIds);
  const TemporaryFolder folder;
  std::ofstream(folder.path() + "/tokenizer.json") << document;
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_TRUE(tokenizer.adds_bos());
  EXPECT_EQ(tokenizer.bos_id(), 1);
}

// With ignore_merges a word that is a token stands as it is even if no merge leads to it.
TEST(TokenizerFile, FollowsIgnoreMerges) {
  json document = tiny();
  document["model"]["vocab"]["xyz"] = 292;
  for (const bool ignore : {false, true}) {
    document["model"]["ignore_merges"] = ignore;
    const TemporaryFolder folder;
    std::ofstream(folder.path() + "/tokenizer.json") << document;
    EXPECT_EQ(Tokenizer::load(folder.path()).encode("xyz").size(), ignore ? 1U : 3U);
  }
}

}  // namespace
}  // namespace rallrec::text
