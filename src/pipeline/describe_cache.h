#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"

namespace rallrec::pipeline {

// Generated descriptions of earlier runs, by the tokens of their request: one file of JSON Lines
// {"key", "prompt", "description"} in the folder describe.cache for each model and setting of the
// generation. Several runs may use a folder at a time; at worst a text is generated again.
class DescribeCache {
 public:
  // Rank 0 reads the file. Keeps nothing where describe.cache is empty; lines that do not read are
  // left out. `run_dir` is where hashes of large model files are remembered. Collective.
  DescribeCache(const config::Options& options, const std::string& run_dir,
                distributed::Communicator& communicator);

  // Null where the request was never answered. The same on every rank.
  const std::string* find(const std::vector<std::int64_t>& ids) const;
  void add(const std::vector<std::int64_t>& ids, const std::string& prompt,
           const std::string& description);
  // Writes what was added beside what the file holds by now; makes its folder. For one rank.
  void save() const;

 private:
  struct Entry {
    std::string prompt;
    std::string description;
  };
  using Entries = std::map<std::string, Entry>;

  // Adds the lines of the file to `entries`.
  void read_into(Entries& entries) const;

  std::string path_;  // empty = nothing is kept
  Entries found_;
  Entries added_;
};

// The key of a request's sampling, from its tokens alone: the same request gives the same text
// whatever else is generated.
std::uint64_t draw_of(const std::vector<std::int64_t>& ids);

}  // namespace rallrec::pipeline
