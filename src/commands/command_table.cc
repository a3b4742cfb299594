#include "commands/command_list.h"

namespace rallrec::commands {

const std::vector<Command>& command_table() {
  // In the order of the overview; one line per command.
  static const std::vector<Command> table = {
      run_command(),      experiment_command(), recommend_command(), ingest_command(),
      describe_command(), embed_command(),      light_gcn_command(), align_command(),
      retrieve_command(), prompt_command(),     tune_command(),      infer_command(),
      baseline_command(), evaluate_command(),   tokenize_command(),  logits_command(),
      merge_command(),    inspect_command(),    report_command(),    plan_command(),
      doctor_command(),   bench_command(),      config_command(),    slurm_template_command(),
  };
  return table;
}

}  // namespace rallrec::commands
