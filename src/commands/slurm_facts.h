#pragma once

#include <optional>
#include <string>
#include <vector>

namespace rallrec::commands {

// One line of sinfo: nodes of a partition that are alike.
struct SlurmPartition {
  std::string name;
  bool is_default = false;
  int nodes = 0;
  int cpus = 0;            // of a node
  int gpus = 0;            // of a node
  std::string time_limit;  // as sinfo writes it: "infinite", "1-00:00:00"
};

// What the cluster says of itself.
struct SlurmFacts {
  bool answers = false;  // sinfo is here and ended well
  std::vector<SlurmPartition> partitions;
  bool has_pmix = false;  // srun --mpi=list names it
};

// Lines of `sinfo --noheader --format="%P|%D|%c|%G|%l"`; one that does not look so is left out.
std::vector<SlurmPartition> read_sinfo(const std::string& text);

// Asks sinfo and srun; without them the answer says so and nothing else.
SlurmFacts ask_slurm();

// The partition of that name with most nodes, or where it is empty the default one's. Nothing where
// there is none.
std::optional<SlurmPartition> choose_partition(const SlurmFacts& facts, const std::string& name);

}  // namespace rallrec::commands
