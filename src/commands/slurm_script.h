#pragma once

#include <string>
#include <vector>

namespace rallrec::commands {

// A batch job that runs one rallrec command.
struct SlurmScript {
  int nodes = 2;
  int ranks_per_node = 1;
  int cpus_per_rank = 1;
  int gpus_per_node = 0;
  std::string partition;           // "" = the cluster's default
  std::string account;             // "" = none
  std::string time = "24:00:00";   // as sbatch takes it
  std::string launcher;            // srun or mpirun
  std::string home;                // the source folder
  std::string program;             // the binary
  std::vector<std::string> words;  // the command with its flags
  // What was decided without being told, one sentence each.
  std::vector<std::string> assumed;
};

// The file for sbatch. It hands over to launch/run_slurm.sbatch of the source folder, which
// requeues.
std::string slurm_script_text(const SlurmScript& script);

// `word` so that a shell takes it as one word and nothing else.
std::string shell_quoted(const std::string& word);

}  // namespace rallrec::commands
