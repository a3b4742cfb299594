#include <algorithm>
#include <cerrno>
#include <iostream>
#include <utility>

#include "commands/invocation.h"
#include "config/did_you_mean.h"
#include "core/error.h"
#include "pipeline/build_info.h"

namespace rallrec::commands {
namespace {

constexpr std::size_t kHelpWidth = 96;

constexpr const char* kOverview =
    "Trains retrieval-augmented LLM recommenders (RALLRec) over many GPUs or CPU ranks.\n"
    "Start it alone, by mpirun or under Slurm.";

constexpr const char* kOverviewFooter =
    "`rallrec COMMAND --help` explains one command. Results go to stdout or a file, logs to "
    "stderr.\n"
    "Settings: command line over environment (RALLREC_SECTION__KEY) over --config over defaults;\n"
    "`rallrec config show` lists them all.";

// Breaks lines at blanks so that none is wider than kHelpWidth where its words allow.
std::string wrapped(const std::string& text) {
  std::string out;
  std::size_t column = 0;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.find(' ', begin);
    end = end == std::string::npos ? text.size() : end;
    const std::size_t width = end - begin;
    if (column > 0) {
      const bool fits = column + 1 + width <= kHelpWidth;
      out += fits ? ' ' : '\n';
      column = fits ? column + 1 : 0;
    }
    out.append(text, begin, width);
    column += width;
    begin = end + 1;
  }
  return out;
}

struct Parsing {
  CLI::App app{kOverview, "rallrec"};
  CommonOptions common;
  std::vector<std::pair<CLI::App*, Runner>> runners;  // in the order of command_table()
};

void define_commands(Parsing& parsing) {
  CLI::App& app = parsing.app;
  app.footer(kOverviewFooter);
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", pipeline::version_text());
  app.get_formatter()->column_width(34);
  for (const Command& command : command_table()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->group(command.group);
    parsing.runners.emplace_back(sub, command.define(*sub));
    add_common_options(*sub, command, parsing.common);
  }
}

// Position in command_table() of the command on the line, or the table's size.
std::size_t parsed_command(const Parsing& parsing) {
  std::size_t index = 0;
  while (index < parsing.runners.size() && !parsing.runners[index].first->parsed()) {
    ++index;
  }
  return index;
}

std::string help_text(Parsing& parsing) {
  const std::size_t index = parsed_command(parsing);
  if (index == parsing.runners.size()) {
    return parsing.app.help();
  }
  const Command& command = command_table()[index];
  CLI::App* sub = parsing.runners[index].first;
  sub->description(wrapped(command.description));
  sub->footer("Example:\n  " + command.example);
  return sub->help("rallrec");
}

void print(const std::string& text) {
  if (!(std::cout << text).flush()) {
    throw_io("standard output", "writing", errno);
  }
}

// What was not understood: the first unknown flag with the nearest one that there is, or else the
// first word that belongs to no flag.
std::string unexpected(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining(true);
  const auto flag = std::find_if(words.begin(), words.end(),
                                 [](const std::string& word) { return word.rfind("-", 0) == 0; });
  if (flag == words.end()) {
    return words.empty() ? "a word too many" : "unexpected word '" + words.front() + "'";
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  const std::string name = flag->substr(0, flag->find('='));
  return "unknown flag " + name + config::did_you_mean(name, names);
}

// CLI11 counts in its own words what a flag got too much of.
std::string mismatch(const CLI::ArgumentMismatch& error) {
  const std::string text = error.what();
  const std::size_t colon = text.find(": At Most ");
  return colon == std::string::npos ? text : text.substr(0, colon) + " is given more than once";
}

// Names the help to read: the command's where the line has one.
[[noreturn]] void throw_not_understood(const Parsing& parsing, const std::string& message) {
  const std::size_t index = parsed_command(parsing);
  const bool named = index < parsing.runners.size();
  throw_usage(message + "; see `rallrec " + (named ? command_table()[index].name + " " : "") +
              "--help`");
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : command_table()) {
    names.push_back(command.name);
  }
  return names;
}

[[noreturn]] void throw_no_command() {
  throw_usage("a command is required, one of " + config::joined(command_names()) +
              "; see `rallrec --help`");
}

void check_command_name(const std::string& name) {
  const std::vector<std::string> names = command_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    return;
  }
  std::string hint = config::did_you_mean(name, names);
  throw_usage("unknown command '" + name + "'" +
              (hint.empty() ? "; `rallrec --help` lists the commands" : hint));
}

}  // namespace

std::optional<Invocation> parse_command_line(int argc, const char* const* argv) {
  if (argc > 1 && argv[1][0] != '-') {
    check_command_name(argv[1]);
  }
  const auto owner = std::make_shared<Parsing>();
  Parsing& parsing = *owner;
  define_commands(parsing);
  try {
    parsing.app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print(help_text(parsing));
    return std::nullopt;
  } catch (const CLI::CallForVersion& version) {
    print(version.what() + std::string("\n"));
    return std::nullopt;
  } catch (const CLI::ExtrasError&) {
    const std::size_t index = parsed_command(parsing);
    const bool named = index < parsing.runners.size();
    throw_not_understood(parsing, unexpected(named ? *parsing.runners[index].first : parsing.app));
  } catch (const CLI::ArgumentMismatch& error) {
    throw_not_understood(parsing, mismatch(error));
  } catch (const CLI::ParseError& error) {
    throw_not_understood(parsing, error.what());
  }
  const std::size_t index = parsed_command(parsing);
  if (index == command_table().size()) {
    throw_no_command();
  }
  return Invocation{&command_table()[index], parsing.common, parsing.runners[index].second, owner};
}

}  // namespace rallrec::commands
