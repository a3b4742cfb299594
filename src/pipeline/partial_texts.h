#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "io/append_file.h"

namespace rallrec::pipeline {

// Generated texts of finished batches, kept on disk while a stage runs so that a killed run goes on
// where it was. One file per rank, <folder>/partial.rank<k>.jsonl, one line per batch under a key
// that names everything the texts depend on; a line that a kill cut off is ignored.
class PartialTexts {
 public:
  // Keeps nothing.
  PartialTexts() = default;
  // Takes up what earlier runs left in `folder`, of any number of ranks, or removes it where
  // `reuse` is false. Collective.
  PartialTexts(const std::string& folder, bool reuse, distributed::Communicator& communicator);

  // Null where the batch was not finished. The same on every rank.
  const std::vector<std::string>* find(const std::string& key) const;
  // Keeps this rank's batch; durable when it returns.
  void add(const std::string& key, const std::vector<std::string>& texts);
  // Removes all partial files; the result has taken their place. Called by one rank.
  static void remove(const std::string& folder);

 private:
  std::map<std::string, std::vector<std::string>> found_;
  std::unique_ptr<io::AppendFile> file_;
};

}  // namespace rallrec::pipeline
