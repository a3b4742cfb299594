// Every command, each defined in the file of its name.
#pragma once

#include "commands/command.h"

namespace rallrec::commands {

Command align_command();
Command baseline_command();
Command bench_command();
Command config_command();
Command describe_command();
Command doctor_command();
Command embed_command();
Command evaluate_command();
Command experiment_command();
Command infer_command();
Command ingest_command();
Command inspect_command();
Command light_gcn_command();
Command logits_command();
Command merge_command();
Command plan_command();
Command prompt_command();
Command recommend_command();
Command report_command();
Command retrieve_command();
Command run_command();
Command slurm_template_command();
Command tokenize_command();
Command tune_command();

}  // namespace rallrec::commands
