#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "pipeline/prompt_builder.h"
#include "retrieval/neighbours_file.h"

namespace rallrec::pipeline {

// One line of a prompt file that is to be written.
struct PromptTask {
  std::int32_t sample = 0;
  text::View view = text::View::kSimple;
};

// The tasks of the drawn samples, each in every view.
std::vector<PromptTask> tasks_of(const std::vector<std::int32_t>& samples,
                                 const std::vector<text::View>& views);

// Sums over all files and ranks.
struct PromptTotals {
  std::int64_t prompts = 0;
  std::int64_t tokens = 0;
  std::int64_t longest = 0;
  std::int64_t shortened = 0;  // prompts that lost a part of their history to the cutoff
  std::int64_t dropped = 0;    // interactions they lost
};

// Writes prompt files with all ranks: each builds a contiguous part of every block, rank 0 writes.
class PromptWriter {
 public:
  // All must outlive it; `neighbours` is null where no view uses retrieval.
  PromptWriter(distributed::Communicator& communicator, const data::Dataset& dataset,
               const std::string& system, PromptBuilder& builder,
               const retrieval::Neighbours* neighbours)
      : communicator_(communicator),
        dataset_(dataset),
        system_(system),
        builder_(builder),
        neighbours_(neighbours) {}

  // Called on all ranks with the same arguments.
  void write(const std::string& path, const std::vector<PromptTask>& tasks);
  // The same on all ranks; a collective.
  PromptTotals totals();

 private:
  std::string line(const PromptTask& task);
  // On rank 0 the texts of all ranks, end to end; elsewhere nothing.
  std::string gather(const std::string& mine);

  distributed::Communicator& communicator_;
  const data::Dataset& dataset_;
  const std::string& system_;
  PromptBuilder& builder_;
  const retrieval::Neighbours* neighbours_;
  PromptTotals mine_;
};

}  // namespace rallrec::pipeline
