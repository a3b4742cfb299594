#include "text/prompt_template.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/tokenizer_paths.h"

namespace rallrec::text {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

FieldLookup fields(std::map<std::string, std::string, std::less<>> values) {
  return [values = std::move(values)](std::string_view name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
}

const FieldLookup kUser =
    fields({{"gender", "female"}, {"occupation", "painter"}, {"age_group", "25-34"}});
const FieldLookup kTarget = fields({{"title", "Red Kite (1999)"}, {"genres", "Drama, War"}});

PromptTemplate shipped(const std::string& name) {
  return PromptTemplate::load(source_dir() + "/configs/prompts/" + name + ".toml");
}

std::vector<std::string> elements(const PromptTemplate& wording) {
  return {wording.element({fields({{"title", "Blue Hat (1988)"}}), 4}),
          wording.element({fields({{"title", "It's Odd (2001)"}}), 1})};
}

std::vector<std::string> lines_of(const std::string& prompt) {
  std::vector<std::string> lines;
  std::istringstream stream(prompt);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

TEST(PromptTemplate, FillsTheSevenLines) {
  const PromptTemplate wording = shipped("movielens");
  const auto lines = lines_of(
      wording.prompt(View::kHigh, kUser, kTarget, elements(wording), ListFormat::kPython, 3.0));
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[0], "The user is female. The user's job is: painter. The user's age is: 25-34.");
  EXPECT_NE(lines[1].find("most relevant"), std::string::npos);
  EXPECT_EQ(lines[2], "['Blue Hat (1988) (4 stars)', \"It's Odd (2001) (1 star)\"]");
  EXPECT_NE(lines[4].find("above 3 stars"), std::string::npos);
  EXPECT_NE(lines[5].find("***Red Kite (1999)***"), std::string::npos);
}

TEST(PromptTemplate, AsksAboutABookBeforeItSaysWhatStarsMean) {
  const PromptTemplate wording = shipped("book_crossing");
  const FieldLookup reader = fields({{"country", "USA"}, {"age_group", "30-34"}});
  const FieldLookup book =
      fields({{"title", "Wet Ink"}, {"isbn", "000000001X"}, {"author", "A. B."}});
  const auto lines =
      lines_of(wording.prompt(View::kHigh, reader, book, {"A (0 star)"}, ListFormat::kPython, 4.0));
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[0], "The user's country is: USA. The user's age is: 30-34.");
  EXPECT_EQ(lines[2], "['A (0 star)']");
  EXPECT_NE(lines[3].find("***Wet Ink***"), std::string::npos);
  EXPECT_NE(lines[4].find("More stars"), std::string::npos);
  EXPECT_NE(lines[5].find("above 4 stars"), std::string::npos);
  EXPECT_EQ(wording.title_text(book), "Book: Wet Ink. ISBN: 000000001X. Author: A. B.");
}

TEST(PromptTemplate, SaysNothingAboutTheUsersOfAShop) {
  const PromptTemplate wording = shipped("amazon_movies_tv");
  const auto lines =
      lines_of(wording.prompt(View::kRerank, kUser, kTarget, {"A"}, ListFormat::kPython, 3.0));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0].find("These are films and series"), 0U);
  EXPECT_EQ(lines[1], "['A']");
  EXPECT_NE(lines[3].find("above 3 stars"), std::string::npos);
  EXPECT_NE(lines[4].find("***Red Kite (1999)***"), std::string::npos);
  EXPECT_EQ(wording.title_text(fields({{"title", "X"}, {"category", "Drama"}})),
            "Film or series: X. Category: Drama");
}

// The authors have one sentence for all views of these two.
TEST(PromptTemplate, BooksAndShopsHaveOneIntroduction) {
  for (const char* name : {"book_crossing", "amazon_movies_tv"}) {
    const PromptTemplate wording = shipped(name);
    const auto prompt = [&](View view) {
      return wording.prompt(view, kUser, kTarget, {"A"}, ListFormat::kPython, 3.0);
    };
    for (const View view : {View::kHigh, View::kSequential, View::kRerank}) {
      EXPECT_EQ(prompt(view), prompt(View::kSimple)) << name;
    }
  }
}

TEST(PromptTemplate, EachViewHasItsOwnIntroductionSaveForTheTwoInTimeOrder) {
  const PromptTemplate wording = shipped("movielens");
  std::map<View, std::string> prompts;
  for (const View view : {View::kSimple, View::kHigh, View::kSequential, View::kRerank}) {
    prompts[view] = wording.prompt(view, kUser, kTarget, {"A"}, ListFormat::kPython, 3.0);
  }
  EXPECT_EQ(prompts[View::kSimple], prompts[View::kSequential]);
  EXPECT_NE(prompts[View::kSimple], prompts[View::kHigh]);
  EXPECT_NE(prompts[View::kHigh], prompts[View::kRerank]);
  EXPECT_NE(prompts[View::kSimple], prompts[View::kRerank]);
}

TEST(PromptTemplate, LeavesOutWhatIsNotKnown) {
  const PromptTemplate wording = shipped("movielens");
  const FieldLookup nothing = fields({});
  const auto first_line = [&](const FieldLookup& user) {
    const std::string prompt =
        wording.prompt(View::kSimple, user, kTarget, {}, ListFormat::kPython, 3.0);
    return prompt.substr(0, prompt.find('\n'));
  };
  EXPECT_EQ(first_line(fields({{"age_group", "56+"}})), "The user's age is: 56+.");
  EXPECT_EQ(first_line(nothing).find("These are films"), 0U);
  EXPECT_EQ(wording.title_text(kTarget), "Film: Red Kite (1999). Genres: Drama, War");
  EXPECT_EQ(wording.title_text(fields({{"title", "X"}})), "Film: X");
}

TEST(PromptTemplate, RatingsAreSingularUpToOne) {
  const PromptTemplate wording = shipped("movielens");
  const auto element = [&](double rating) {
    return wording.element({fields({{"title", "T"}}), rating});
  };
  EXPECT_EQ(element(0), "T (0 star)");
  EXPECT_EQ(element(1), "T (1 star)");
  EXPECT_EQ(element(2), "T (2 stars)");
  EXPECT_EQ(element(3.5), "T (3.5 stars)");
}

TEST(PromptTemplate, TheYesNoWordingAnswersForEachElementAndAsksForTheTarget) {
  const FieldLookup film = fields({{"title", "T (1999)"}});
  const std::pair<const char*, const char*> cases[] = {
      {"movielens_yes_no", "T: Yes; T: No; Red Kite:"},
      {"amazon_movies_tv_yes_no", "T: Yes; T: No; Red Kite:"},
      {"book_crossing_yes_no", "T (1999): Yes; T (1999): No; Red Kite (1999):"}};
  for (const auto& [name, tail] : cases) {
    const PromptTemplate wording = shipped(name);
    const std::vector<std::string> elements = {wording.element({film, 4, true}),
                                               wording.element({film, 2, false})};
    const std::string prompt =
        wording.prompt(View::kHigh, {}, kTarget, elements, ListFormat::kPlain, 3);
    EXPECT_EQ(prompt.substr(prompt.find('\n') + 1), tail) << name;
  }
}

TEST(PromptTemplate, DescriptionsBeginAlikeAndEndWithTheItem) {
  for (const char* name : {"movielens", "movielens_compact", "movielens_yes_no", "book_crossing",
                           "book_crossing_yes_no", "amazon_movies_tv", "amazon_movies_tv_yes_no"}) {
    const PromptTemplate wording = shipped(name);
    const std::string a = wording.describe_prompt(kTarget, 80);
    const std::string b = wording.describe_prompt(fields({{"title", "Zed"}}), 80);
    const std::size_t item = a.find("Red Kite");
    ASSERT_NE(item, std::string::npos);
    EXPECT_EQ(a.substr(0, item), b.substr(0, item));
    EXPECT_GT(item, a.size() / 2);
  }
  for (const char* name : {"movielens", "movielens_compact"}) {
    const std::string prompt = shipped(name).describe_prompt(kTarget, 80);
    EXPECT_NE(prompt.find("Red Kite (1999)"), std::string::npos);
    EXPECT_NE(prompt.find("Drama, War"), std::string::npos);
  }
}

TEST(PromptTemplate, CompactPromptsShareTheirHead) {
  const PromptTemplate wording = shipped("movielens_compact");
  const std::string prompt =
      wording.prompt(View::kRerank, kUser, kTarget, elements(wording), ListFormat::kPlain, 3.0);
  const std::string other = wording.prompt(View::kHigh, fields({}), fields({{"title", "Q"}}),
                                           {"Zulu 3"}, ListFormat::kPlain, 3.0);
  const std::string head = prompt.substr(0, prompt.find('\n') + 1);
  EXPECT_EQ(other.substr(0, head.size()), head);
  EXPECT_EQ(prompt.substr(head.size()), "Blue Hat 4; It's Odd 1\nLast film: Red Kite");
}

TEST(PromptTemplate, CutsTheYearOffATitle) {
  EXPECT_EQ(without_year("Heat (1995)"), "Heat");
  EXPECT_EQ(without_year("M (1931) (1951)"), "M (1931)");
  EXPECT_EQ(without_year("1984"), "1984");
  EXPECT_EQ(without_year("Heat (uncut)"), "Heat (uncut)");
  EXPECT_EQ(without_year("(1995)"), "(1995)");
  EXPECT_EQ(without_year(""), "");
  EXPECT_EQ(short_title("Sting, The (1973)"), "The Sting");
  EXPECT_EQ(short_title("Streetcar Named Desire, A"), "A Streetcar Named Desire");
  EXPECT_EQ(short_title("Affair to Remember, An (1957)"), "An Affair to Remember");
  EXPECT_EQ(short_title("Good, The Bad, The Ugly"), "Good, The Bad, The Ugly");
  EXPECT_EQ(short_title("Theatre, Therapy"), "Theatre, Therapy");
  EXPECT_EQ(short_title(", The"), ", The");
  EXPECT_EQ(short_title("The"), "The");
  EXPECT_EQ(short_title(""), "");
}

class BadTemplate : public ::testing::Test {
 protected:
  // The shipped file with `from` replaced by `to` must be refused with `message`.
  void refuse(const std::string& from, const std::string& to, const std::string& message) {
    std::string text = original_;
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const std::string path = folder_.put("t.toml", text);
    expect_error(ExitCode::kUsage, message, [&] { PromptTemplate::load(path); });
    expect_error(ExitCode::kUsage, "t.toml:", [&] { PromptTemplate::load(path); });
  }
  std::string line_of(const std::string& text) const {
    const auto end = original_.begin() + static_cast<std::ptrdiff_t>(original_.find(text));
    return "t.toml:" + std::to_string(1 + std::count(original_.begin(), end, '\n')) + ":";
  }

  TemporaryFolder folder_;
  const std::string original_ = [] {
    std::ifstream file(source_dir() + "/configs/prompts/movielens.toml");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
};

TEST_F(BadTemplate, NamesUnknownPlaceholdersWithTheirLine) {
  refuse("{occupation}", "{ocupation}",
         "unknown placeholder {ocupation}; did you mean 'occupation'");
  refuse("{occupation}", "{ocupation}", line_of("{occupation}"));
  refuse("***{title}***", "***{titel}***", line_of("***{title}***"));
  refuse("Genres: {genres}]]\"\"\"", "Genres: {genre}]]\"\"\"", "{genre}");
  refuse("{rating}", "{history}", "{history}");
  refuse("{history}", "{gender}", "{gender}");
}

TEST_F(BadTemplate, NamesBrokenBrackets) {
  refuse("[[ The user's job is: {occupation}.]]", "[[ job {occupation}.", "inside");
  refuse("[[ The user's job is: {occupation}.]]", "job {occupation}.]]", "has no \"[[\"");
  refuse("{intro}", "{intro", "has no \"}\"");
  refuse("{intro}", "intro}", "has no \"{\"");
}

TEST_F(BadTemplate, NamesUnknownOrMissingKeys) {
  refuse("system =", "sistem =", "unknown key \"sistem\"; did you mean 'system'");
  refuse("rerank =", "rank =", "unknown key \"rank\"");
  refuse("\"demand\"]", "\"demands\"]", "unknown line \"demands\"");
  refuse("\"demand\"]", "\"note\"]", "named twice");
  refuse("order = [", "order = 3 #", "must be a list");
  refuse("note = ", "#", "key \"lines.note\" is missing");
  refuse("note = \"", "note = 3 # \"", "must be a text");
  refuse("[element]\ntext", "element = 3 #", "");
  refuse("order = [", "order = [[", "");
}

TEST(PromptTemplateFile, MayNameFieldsOfTheDataSet) {
  const TemporaryFolder folder;
  std::ifstream file(source_dir() + "/configs/prompts/movielens_compact.toml");
  std::string text(std::istreambuf_iterator<char>(file), {});
  text.replace(text.find("{short_title} {rating}"), 13, "{studio}");
  const std::string path = folder.put("t.toml", text);
  EXPECT_THROW(PromptTemplate::load(path), Error);
  const PromptTemplate wording = PromptTemplate::load(path, {{}, {"studio"}});
  EXPECT_EQ(wording.element({fields({{"studio", "S"}}), 2}), "S 2");
  expect_error(ExitCode::kMissingInput, "none.toml",
               [&] { PromptTemplate::load(folder.file("none.toml")); });
}

TEST(TextTemplate, KeepsBracesThatAreDoubled) {
  const TextTemplate t("{{a}} {a}[[ ({b}, {c})]]!", "f", 1, {"a", "b", "c"});
  EXPECT_EQ(t.render(fields({{"a", "1"}})), "{a} 1!");
  EXPECT_EQ(t.render(fields({{"a", "{b}"}, {"c", "3"}})), "{a} {b} (, 3)!");
}

TEST(Views, HaveNames) {
  EXPECT_EQ(view_from("rerank", "prompt.test_view"), View::kRerank);
  expect_error(ExitCode::kUsage, "prompt.test_view holds \"rank\"",
               [] { view_from("rank", "prompt.test_view"); });
}

}  // namespace
}  // namespace rallrec::text
