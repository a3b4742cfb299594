#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <regex>

#include "commands/checks.h"
#include "commands/command_list.h"
#include "commands/common_options.h"
#include "commands/slurm_facts.h"
#include "commands/slurm_script.h"
#include "config/did_you_mean.h"
#include "core/error.h"
#include "pipeline/build_info.h"

namespace rallrec::commands {
namespace {

struct Flags {
  int nodes = 0;
  int ranks_per_node = 0;
  int gpus_per_node = -1;
  std::string partition;
  std::string account;
  std::string time;
  std::string launcher;
  std::vector<std::string> words;
};

// Cores of a node where nobody tells.
constexpr int kUsualCores = 8;

void require_partition(const SlurmFacts& facts, const std::string& name) {
  std::vector<std::string> names;
  for (const SlurmPartition& one : facts.partitions) {
    names.push_back(one.name);
  }
  if (!name.empty() && facts.answers && !choose_partition(facts, name)) {
    throw_usage("--partition " + name + ": sinfo knows " + config::joined(names));
  }
}

// What sbatch takes for a time: minutes, [days-]hours:minutes[:seconds], days-hours.
CLI::Validator slurm_time() {
  return CLI::Validator(
      [](const std::string& text) {
        static const std::regex form(
            "[0-9]+(:[0-9]{1,2}){0,2}|[0-9]+-[0-9]{1,2}(:[0-9]{1,2}){0,2}|(?:UNLIMITED|INFINITE)",
            std::regex::icase);
        return std::regex_match(text, form)
                   ? std::string()
                   : "expected a time as sbatch takes it, such as 90, 12:00:00 or 2-00:00:00, "
                     "found '" +
                         text + "'";
      },
      "");
}

// Goes unquoted into a line of the script that sbatch reads.
CLI::Validator slurm_name() {
  return CLI::Validator(
      [](const std::string& text) {
        const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char letter) {
          return std::isalnum(letter) != 0 || std::strchr("_-.,+@", letter) != nullptr;
        });
        return plain && !text.empty() ? std::string()
                                      : "expected a name of Slurm's, found '" + text + "'";
      },
      "");
}

void require_command(const std::string& word) {
  const std::vector<Command>& table = command_table();
  const bool known = std::any_of(table.begin(), table.end(),
                                 [&](const Command& command) { return command.name == word; });
  if (!known) {
    throw_usage("slurm-template: '" + word +
                "' is no command of rallrec; after -- comes one, such as tune, and its flags");
  }
}

void choose_nodes(const Flags& flags, SlurmScript& script) {
  script.nodes = flags.nodes;
  if (flags.nodes == 0) {
    script.nodes = 2;
    script.assumed.emplace_back("two nodes; --nodes N");
  }
}

// One rank for each GPU, or one for each node.
void choose_ranks(const Flags& flags, const std::optional<SlurmPartition>& partition,
                  SlurmScript& script) {
  script.gpus_per_node = flags.gpus_per_node;
  if (flags.gpus_per_node < 0) {
    script.gpus_per_node = partition && pipeline::build_info().cuda ? partition->gpus : 0;
    script.assumed.push_back(std::to_string(script.gpus_per_node) +
                             " GPUs per node are used; --gpus-per-node N");
  }
  script.ranks_per_node = flags.ranks_per_node;
  if (flags.ranks_per_node == 0) {
    script.ranks_per_node = std::max(1, script.gpus_per_node);
    script.assumed.emplace_back(script.gpus_per_node > 0 ? "a rank per GPU; --ranks-per-node N"
                                                         : "a rank per node; --ranks-per-node N");
  }
  const int cores = partition ? partition->cpus : kUsualCores;
  if (!partition) {
    script.assumed.push_back(std::to_string(cores) + " cores per node; change --cpus-per-task");
  }
  script.cpus_per_rank = std::max(1, cores / script.ranks_per_node);
}

void choose_launcher(const Flags& flags, const SlurmFacts& facts, SlurmScript& script) {
  script.launcher = flags.launcher;
  if (flags.launcher.empty()) {
    const bool by_mpirun = facts.answers && !facts.has_pmix;
    script.launcher = by_mpirun ? "mpirun" : "srun";
    script.assumed.emplace_back(
        by_mpirun ? "mpirun, since `srun --mpi=list` has no pmix; --launcher srun"
        : facts.answers
            ? "srun, since `srun --mpi=list` has pmix; --launcher mpirun"
            : "srun with PMIx (`srun --mpi=list` shows it); --launcher mpirun where there is none");
  }
}

void choose_time(const Flags& flags, const std::optional<SlurmPartition>& partition,
                 SlurmScript& script) {
  script.time = flags.time;
  if (flags.time.empty()) {
    const bool limited = partition && partition->time_limit.find_first_of("0123456789") == 0;
    script.time = limited ? partition->time_limit : "24:00:00";
    script.assumed.push_back(limited ? "the partition's time limit; --time HH:MM:SS"
                                     : "a day at a time; --time HH:MM:SS");
  }
}

// `run` with all that this command line says of it.
std::vector<std::string> words_of_run(const CommandContext& context) {
  std::vector<std::string> words = {"run", "--config",
                                    std::filesystem::absolute(context.config_file).string()};
  const std::vector<std::string> settings = words_of(context.sources);
  words.insert(words.end(), settings.begin(), settings.end());
  return words;
}

void choose_words(const Flags& flags, const CommandContext& context, SlurmScript& script) {
  script.words = flags.words;
  if (flags.words.empty()) {
    if (context.config_file.empty()) {
      throw_usage(
          "slurm-template: give --config FILE, or the command after --, as in "
          "`rallrec slurm-template -- tune --model DIR --train FILE --output DIR`");
    }
    script.words = words_of_run(context);
  }
  require_command(script.words.front());
  if (script.gpus_per_node > 0) {
    script.words.insert(script.words.end(), {"--device", "cuda"});
    if (!pipeline::build_info().cuda) {
      script.assumed.emplace_back("another program than this one, which has no CUDA: set RALLREC");
    }
  }
}

SlurmScript script_of(const Flags& flags, const CommandContext& context) {
  const SlurmFacts facts = ask_slurm();
  require_partition(facts, flags.partition);
  const std::optional<SlurmPartition> partition = choose_partition(facts, flags.partition);
  SlurmScript script;
  script.home = std::filesystem::path(RALLREC_TOOLS_DIR).parent_path().string();
  script.program = std::filesystem::read_symlink("/proc/self/exe").string();
  script.account = flags.account;
  if (!facts.answers) {
    script.assumed.emplace_back("all below: there is no sinfo here, or it does not answer");
  }
  choose_nodes(flags, script);
  choose_ranks(flags, partition, script);
  script.partition = partition ? partition->name : flags.partition;
  if (flags.partition.empty()) {
    script.assumed.push_back(partition ? "the default partition; --partition NAME"
                                       : "the default partition, whatever it is; --partition NAME");
  }
  choose_launcher(flags, facts, script);
  choose_time(flags, partition, script);
  choose_words(flags, context, script);
  return script;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("--nodes", flags->nodes, "Nodes of a job [2]")
      ->check(whole_number_from(1))
      ->type_name("N");
  app.add_option("--ranks-per-node", flags->ranks_per_node, "[one per GPU, or one per node]")
      ->check(whole_number_from(1))
      ->type_name("N");
  app.add_option("--gpus-per-node", flags->gpus_per_node, "[what sinfo says; 0 without CUDA here]")
      ->check(whole_number_from(0))
      ->type_name("N");
  app.add_option("--partition", flags->partition, "[the default one]")
      ->check(slurm_name())
      ->type_name("NAME");
  app.add_option("--account", flags->account, "[none]")->check(slurm_name())->type_name("NAME");
  app.add_option("--time", flags->time, "Time limit of one piece of the run [the partition's]")
      ->check(slurm_time())
      ->type_name("HH:MM:SS");
  app.add_option("--launcher", flags->launcher, "srun or mpirun [srun where it has PMIx]")
      ->check(one_of({"srun", "mpirun"}))
      ->type_name("");
  app.add_option("words", flags->words, "After --: the rallrec command to run [run --config FILE]")
      ->type_name("COMMAND …");
  return [flags](CommandContext& context) {
    if (context.communicator.rank() == 0) {
      std::fputs(slurm_script_text(script_of(*flags, context)).c_str(), stdout);
    }
    return 0;
  };
}

}  // namespace

Command slurm_template_command() {
  Command command;
  command.name = "slurm-template";
  command.group = kToolsGroup;
  command.summary = "A ready file for sbatch, made for this cluster";
  command.description =
      "Prints a batch script that runs a command on several nodes, checkpoints before the time "
      "limit, requeues itself and ends when the run is done. Asks sinfo and srun, where they are, "
      "for the partition, cores and GPUs of a node, time limit and PMIx; flags win. What it "
      "assumed stands at the top of the script.";
  command.example = "rallrec slurm-template --nodes 4 --config configs/demo.toml > job.sbatch";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
