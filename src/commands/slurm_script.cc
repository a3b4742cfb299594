#include "commands/slurm_script.h"

namespace rallrec::commands {
namespace {

void add_flag(const std::string& name, const std::string& value, std::string& text) {
  if (!value.empty()) {
    text.append("#SBATCH --").append(name).append("=").append(value).append("\n");
  }
}

std::string flags_of(const SlurmScript& script) {
  std::string text;
  add_flag("job-name", "rallrec", text);
  add_flag("nodes", std::to_string(script.nodes), text);
  add_flag("ntasks-per-node", std::to_string(script.ranks_per_node), text);
  add_flag("cpus-per-task", std::to_string(script.cpus_per_rank), text);
  if (script.gpus_per_node > 0) {
    add_flag("gpus-per-node", std::to_string(script.gpus_per_node), text);
  }
  add_flag("partition", script.partition, text);
  add_flag("account", script.account, text);
  add_flag("time", script.time, text);
  text += "#SBATCH --requeue\n";
  add_flag("open-mode", "append", text);
  add_flag("output", "%x_%j.log", text);
  text +=
      "# To this script alone (B:), which passes it on to all ranks: checkpoint, exit 75, "
      "requeue.\n";
  add_flag("signal", "B:USR1@180", text);
  return text;
}

}  // namespace

std::string shell_quoted(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,/:@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
    return word;
  }
  std::string quoted = "'";
  for (const char letter : word) {
    if (letter == '\'') {
      quoted += "'\\''";
    } else {
      quoted += letter;
    }
  }
  return quoted + "'";
}

std::string slurm_script_text(const SlurmScript& script) {
  std::string text =
      "#!/usr/bin/env bash\n"
      "# Written by `rallrec slurm-template`; submit it with sbatch.\n";
  for (const std::string& one : script.assumed) {
    text.append("# Assumed: ").append(one).append("\n");
  }
  text += "\n" + flags_of(script) + "\n";
  text += "export RALLREC_HOME=" + shell_quoted(script.home) + "\n";
  text += "export RALLREC=" + shell_quoted(script.program) + "\n";
  text += "export LAUNCHER=" + script.launcher + "\n";
  text += "exec bash \"$RALLREC_HOME/launch/run_slurm.sbatch\"";
  for (const std::string& word : script.words) {
    text.append(" ").append(shell_quoted(word));
  }
  return text + "\n";
}

}  // namespace rallrec::commands
