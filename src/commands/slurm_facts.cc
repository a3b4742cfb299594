#include "commands/slurm_facts.h"

#include <charconv>
#include <regex>
#include <sstream>

#include "commands/child_program.h"

namespace rallrec::commands {
namespace {

// The number at the beginning: sinfo writes "64+" where nodes of a group differ.
int leading_number(const std::string& text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "gpu:8", "gpu:a100:4(S:0-1)", "gpu:4090:8", "gpu:a100:2,gpu:v100:2", "(null)": the GPUs of a
// node.
int gpus_of(const std::string& gres) {
  static const std::regex gpu(R"(gpu(:[^:,()]+)?:(\d+)(?=[,(]|$))");
  int count = 0;
  for (std::sregex_iterator match(gres.begin(), gres.end(), gpu), end; match != end; ++match) {
    count += std::stoi((*match)[2]);
  }
  return count;
}

SlurmPartition partition_of(const std::vector<std::string>& words) {
  SlurmPartition partition;
  partition.name = words[0];
  partition.is_default = !partition.name.empty() && partition.name.back() == '*';
  if (partition.is_default) {
    partition.name.pop_back();
  }
  partition.nodes = leading_number(words[1]);
  partition.cpus = leading_number(words[2]);
  partition.gpus = gpus_of(words[3]);
  partition.time_limit = words[4];
  return partition;
}

}  // namespace

std::vector<SlurmPartition> read_sinfo(const std::string& text) {
  std::vector<SlurmPartition> partitions;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> words;
    std::istringstream columns(line);
    for (std::string word; std::getline(columns, word, '|');) {
      words.push_back(word);
    }
    if (words.size() == 5) {
      partitions.push_back(partition_of(words));
    }
  }
  return partitions;
}

SlurmFacts ask_slurm() {
  SlurmFacts facts;
  const auto sinfo = run_child({"sinfo", "--noheader", "--format=%P|%D|%c|%G|%l"});
  if (!sinfo || sinfo->status != 0) {
    return facts;
  }
  facts.answers = true;
  facts.partitions = read_sinfo(sinfo->output);
  const auto kinds = run_child({"srun", "--mpi=list"});
  facts.has_pmix = kinds && kinds->output.find("pmix") != std::string::npos;
  return facts;
}

std::optional<SlurmPartition> choose_partition(const SlurmFacts& facts, const std::string& name) {
  std::optional<SlurmPartition> best;
  for (const SlurmPartition& one : facts.partitions) {
    const bool fits = name.empty() ? one.is_default : one.name == name;
    if (fits && (!best || one.nodes > best->nodes)) {
      best = one;
    }
  }
  return best;
}

}  // namespace rallrec::commands
