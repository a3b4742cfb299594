#include <gtest/gtest.h>

#include "config/grid.h"
#include "config/load.h"
#include "config/published.h"
#include "tests/support/malformed.h"

namespace rallrec::config {
namespace {

using rallrec::testing::Malformed;

std::vector<Malformed> syntax_cases() {
  return {
      {"no value", "[tune]\nepochs = \n", ":2:"},
      {"section not closed", "[tune\n", ":1:"},
      {"two values", "[tune]\nepochs = 1 2\n", ":2:"},
      {"no equals sign", "[tune]\nepochs 1\n", ":2:"},
      {"colon", "[tune]\nepochs: 3\n", ":2:7: Error while parsing key-value pair: expected '='"},
      {"YAML", "tune:\n  epochs: 3\n", ":1:5: Error while parsing key-value pair: expected '='"},
      {"JSON", "{\"tune\": {\"epochs\": 3}}",
       ":1:1: Error while parsing root table: expected keys"},
      {"cut off in a key", "[tune]\nepochs = 3\nlearning_ra", ":3:12: "},
      {"cut off in a list", "[retrieve]\nblocks = ['text'", ":2:17: "},
      {"quote not closed", "[data]\npath = \"abc\n", ":2:12: Error while parsing string"},
      {"three quotes not closed", "[data]\npath = \"\"\"abc\n",
       ":2:15: Error while parsing string"},
      {"path of Windows", "[data]\npath = \"C:\\data\"\n",
       ":2:12: Error while parsing string: unknown"},
      {"curly quotes", "[data]\npath = \xE2\x80\x9Cx\xE2\x80\x9D\n",
       ":2:8: Error while parsing value"},
      {"True of Python", "[data]\ndeduplicate = True\n", ":2:15: Error while parsing boolean"},
      {"yes", "[data]\ndeduplicate = yes\n", ":2:15: Error while parsing value"},
      {"None of Python", "[tune]\nepochs = None\n", ":2:10: "},
      {"decimal comma", "[tune]\nlearning_rate = 0,5\n", ":2:18: "},
      {"no digit after the point", "[tune]\nlearning_rate = 1.\n", ":2:19: "},
      {"leading zero", "[tune]\nepochs = 03\n",
       ":2:12: Error while parsing decimal integer: leading"},
      {"key twice", "[tune]\nepochs = 1\nepochs = 2\n", ":3:"},
      {"section twice", "[tune]\nepochs = 1\n[tune]\nseed = 2\n", ":3:"},
      {"key twice at the top", "mode = 'clean'\nmode = 'paper'\n", ":2:"},
      {"dotted key twice", "tune.epochs = 1\ntune.epochs = 2\n",
       "cannot redefine existing integer"},
      {"key and section of one name", "[tune]\nepochs = 1\n[tune.epochs]\n", ":3:1: "},
  };
}

std::vector<Malformed> byte_cases() {
  std::string dotted = "tune";
  for (int i = 0; i < 5000; ++i) {
    dotted += ".a";
  }
  return {
      {"NUL byte", std::string("[tune]\nepochs = 1\0\n", 19), ":2:"},
      {"only NUL bytes", std::string("\0\0\0\0", 4), ":1:"},
      {"NUL by escape", "[data]\npath = \"a\\u0000b\"\n", ":2:1: 'data.path' must be without NUL"},
      {"NUL in the name of the base", "base = \"a\\u0000b\"\n", ":1:8: 'base' must be the name of"},
      {"lone surrogate", "[data]\npath = \"\\ud800\"\n", ":2:15: "},
      {"cut character", "[data]\npath = \"\xC3\x28\"\n", ":2:"},
      {"Latin-1", "[data]\npath = \"caf\xE9\"\n", ":2:11: Encountered invalid utf-8"},
      {"UTF-16", "\xFF\xFE[tune]\n", ":1:1: Encountered invalid utf-8"},
      {"control character", "[data]\npath = \"a\x01\"\n", ":2:"},
      {"mark of a joined file", "[tune]\nepochs = 1\n\xEF\xBB\xBFseed = 2\n", ":3:1: "},
      {"line ends of old Macs", "[tune]\repochs = 1\r", ":1:8: "},
      {"100,000 brackets", "[retrieve]\nblocks = " + std::string(100000, '[') + "\n", ":2:"},
      {"lists in lists",
       "[retrieve]\nblocks = " + std::string(200, '[') + std::string(200, ']') + "\n", ":2:"},
      {"5,000 dots", dotted + " = 1\n", ":1:"},
  };
}

std::vector<Malformed> value_cases() {
  return {
      {"above 63 bits", "[tune]\nseed = 9223372036854775808\n", ":2:"},
      {"far above 64 bits", "[tune]\nseed = 99999999999999999999999999999999999999\n", ":2:"},
      {"below 64 bits", "[tune]\nseed = -9223372036854775809\n", ":2:"},
      {"hexadecimal above 64 bits", "[tune]\nseed = 0xFFFFFFFFFFFFFFFFFF\n", ":2:"},
      {"above a double", "[tune]\nlearning_rate = 1e999\n", ":2:22: "},
      {"NaN", "[tune]\nlearning_rate = nan\n",
       ":2:1: 'tune.learning_rate' must be finite and above"},
      {"infinity", "[light_gcn]\nreg_weight = inf\n",
       ":2:1: 'light_gcn.reg_weight' must be at least"},
      {"negative size", "[tune]\nbatch_size = -4\n", "must be from 1 to 1073741824; it is -4"},
      {"huge size", "[tune]\nbatch_size = 99999999999\n",
       "must be from 1 to 1073741824; it is 999"},
      {"negative seed", "[tune]\nseed = -1\n", ":2:1: 'tune.seed' must be at least 0; it is -1"},
      {"fraction for a count", "[tune]\nepochs = 3.5\n", ":2:10: 'tune.epochs' must be an integer"},
      {"text for a count", "[tune]\nepochs = '3'\n", ":2:10: 'tune.epochs' must be an integer"},
      {"time for a count", "[tune]\nepochs = 07:32:00\n",
       ":2:10: 'tune.epochs' must be an integer"},
      {"table for a count", "[tune]\nepochs = { a = 1 }\n", ":2:10: 'tune.epochs' must be an"},
      {"date for a text", "[data]\npath = 2020-01-01\n",
       ":2:8: 'data.path' must be text in quotes"},
      {"date for the mode", "mode = 2020-01-01\n", ":1:1: 'mode' must be text in quotes"},
      {"number for a text", "[model]\nquant = 8\n", ":2:9: 'model.quant' must be text in quotes"},
      {"number for a flag", "[data]\ndeduplicate = 1\n", ":2:15: 'data.deduplicate' must be true"},
      {"text for a list", "stages = 'tune'\n", ":1:1: 'stages' must be a list of texts"},
      {"mixed list", "[retrieve]\nblocks = ['text', 1]\n",
       ":2:10: 'retrieve.blocks' must be a list"},
      {"unknown choice", "[model]\nquant = 'int4'\n", ":2:1: 'model.quant' must be"},
      {"module twice", "[tune]\ntarget_modules = ['q_proj', 'q_proj']\n", "each once, of q_proj"},
      {"module of no decoder", "[tune]\ntarget_modules = ['lm_head']\n", "each once, of q_proj"},
  };
}

std::vector<Malformed> key_cases() {
  return {
      {"unknown key", "[tune]\n\n  epoch = 3\n",
       ":3:3: unknown key 'tune.epoch'; did you mean 'epochs'?"},
      {"unknown section", "[tun]\nepochs = 1\n",
       ":1:2: unknown section [tun]; did you mean 'tune'?"},
      {"key without its section", "epochs = 3\n", ":1:1: unknown key [epochs]"},
      {"empty key", "\"\" = 1\n", ":1:1: unknown key []"},
      {"value for a section", "tune = 3\n", ":1:1: 'tune' is a section; write [tune]"},
      {"list of sections", "[[tune]]\nepochs = 1\n", ":1:3: 'tune' is a section; write [tune]"},
      {"base is a number", "base = 3\n", ":1:8: 'base' must be the name of a config file"},
      {"base is itself", "base = 'run.toml'\n", ":1:8: 'base' names "},
      {"base is missing", "\nbase = 'none.toml'\n", ":2:8: 'base' names ", ExitCode::kMissingInput},
  };
}

// Below a data set and a system.
std::string grid(const std::string& system, const std::string& top = "") {
  return top + "[[dataset]]\nname = 'ml'\n[[system]]\nname = 'rallrec'\n" + system;
}

std::vector<Malformed> grid_cases() {
  return {
      {"empty", "", "there is no [[dataset]] in it; a grid needs at least one"},
      {"cut off", "[[dataset]]\nname = 'ml'\n[[system", ":3:"},
      {"no system", "[[dataset]]\nname = 'ml'\n", "there is no [[system]] in it"},
      {"one bracket", "[dataset]\nname = 'ml'\n", ":1:1: 'dataset' must be [[dataset]] sections"},
      {"names for sections", "dataset = ['ml']\n", ":1:11: 'dataset' must be [[dataset]] sections"},
      {"unknown key", grid("", "tite = 'x'\n"), ":1:1: unknown key 'tite'; did you mean 'title'?"},
      {"unknown setting", grid("set = { 'tune.epoch' = 3 }\n"),
       ":5:9: unknown key 'tune.epoch'; did"},
      {"title is a number", grid("", "title = 3\n"), ":1:9: 'title' must be text in quotes"},
      {"title with a NUL", grid("", "title = \"a\\u0000\"\n"),
       ":1:9: 'title' must be text in quotes"},
      {"no name", "[[dataset]]\nconfigs = '.'\n[[system]]\nname = 'x'\n",
       ":1:1: 'name' is missing"},
      {"name is empty", "[[dataset]]\nname = ''\n", ":2:8: 'dataset.name' must be text in quotes"},
      {"name leads elsewhere", "[[dataset]]\nname = '../x'\n", "made of letters, digits"},
      {"system twice", grid("[[system]]\nname = 'rallrec'\n"), "two systems are called 'rallrec'"},
      {"seeds are a text", grid("", "seeds = '42'\n"), ":1:9: 'seeds' must be a list of integers"},
      {"a seed is a fraction", grid("", "seeds = [1, 2.5]\n"),
       ":1:9: 'seeds' must be a list of integers"},
      {"no seeds", grid("", "seeds = []\n"), ":1:9: 'seeds' must be a list of integers"},
      {"seed twice", grid("", "seeds = [1, 2, 1]\n"),
       ":1:9: 'seeds' must be integers that differ; 1 is"},
      {"seed of a text", grid("", "seed_keys = ['prompt.test_view']\n"),
       "keys that take an integer"},
      {"date in a set", grid("set = { 'data.path' = 2020-01-01 }\n"),
       ":5:23: must be a value that a"},
      {"list in a list", grid("set = { 'retrieve.blocks' = [['text']] }\n"),
       ":5:29: must be a value"},
      {"wrong type", grid("set = { 'tune.epochs' = 'many' }\n"), ":5:25: 'tune.epochs' must be an"},
      {"setting twice", grid("set = { 'tune.epochs' = 1, tune = { epochs = 2 } }\n"),
       "'tune.epochs' is set twice"},
      {"sweep of one value", grid("sweep = { 'prompt.k' = 5 }\n"),
       ":5:11: sweep over 'prompt.k' must be"},
      {"sweep of none", grid("sweep = { 'prompt.k' = [] }\n"),
       ":5:11: sweep over 'prompt.k' must be"},
      {"sweep value twice", grid("sweep = { 'prompt.k' = [5, 10, 5] }\n"),
       ":5:32: sweep over 'prompt.k' has 5 twice"},
      {"adapter of itself", grid("adapter_of = 'rallrec'\n"), "which trains no adapter itself"},
      {"adapter of nobody", grid("adapter_of = 'ralrec'\n"),
       "no system is called 'ralrec'; did you"},
      {"unknown data set", grid("datasets = ['mll']\n"),
       "no data set is called 'mll'; did you mean 'ml'"},
  };
}

std::vector<Malformed> published_cases() {
  const std::string top = "source = 'S'\nmodel = 'M'\n";
  return {
      {"no source", "model = 'M'\n", ": 'source' must be text in quotes"},
      {"model is a number", "source = 'S'\nmodel = 3\n", ": 'model' must be text in quotes"},
      {"two numbers", top + "[t.ml]\nx = [1, 2]\n", ":4:5: must be three numbers: AUC, log loss"},
      {"number as text", top + "[t.ml]\nx = [1, '2', 3]\n", ":4:5: must be three numbers"},
      {"not a number", top + "[t.ml]\nx = [nan, 0.6, 0.7]\n", ":4:5: must be three numbers"},
      {"no data set", top + "t = 3\n", ":3:5: must be a [table.data_set] section"},
      {"names are a text", top + "plain_log_loss = 'dcn'\n",
       ":3:18: 'plain_log_loss' must be a list"},
  };
}

// Every error of a config is one of usage, unless a case says otherwise.
template <typename Read>
void expect_refused(std::vector<Malformed> cases, int least, const Read& read) {
  for (Malformed& one : cases) {
    one.code = one.code == ExitCode::kBadData ? ExitCode::kUsage : one.code;
  }
  rallrec::testing::expect_refused("run.toml", cases, least, read);
}

void read_run(const std::string& path) {
  Sources sources;
  sources.file = path;
  load_config(sources);
}

TEST(TomlMalformed, Syntax) { expect_refused(syntax_cases(), 24, read_run); }
TEST(TomlMalformed, Bytes) { expect_refused(byte_cases(), 14, read_run); }
TEST(TomlMalformed, Values) { expect_refused(value_cases(), 23, read_run); }
TEST(TomlMalformed, Keys) { expect_refused(key_cases(), 9, read_run); }
TEST(TomlMalformed, Grids) { expect_refused(grid_cases(), 28, read_grid); }
TEST(TomlMalformed, PublishedNumbers) { expect_refused(published_cases(), 7, read_published); }

}  // namespace
}  // namespace rallrec::config
