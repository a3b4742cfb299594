#pragma once

#include <string>
#include <vector>

#include "pipeline/experiment/summary.h"

namespace rallrec::pipeline {

struct TableEntry {
  std::string text;
  bool best = false;  // of its column
  bool star = false;  // significantly better than the best other
};

// A table for people. Ours and published numbers are in columns of their own.
struct Table {
  std::string caption;
  std::vector<std::string> head;
  std::vector<std::vector<TableEntry>> rows;
  std::vector<std::string> notes;
};

// Rows are the systems, columns the metrics as mean ± standard deviation over seeds, then what was
// published of the same row. The caption names data, model, rows and seeds; notes hold the metrics
// of baselines on their whole test split, how stars are given, and what failed.
Table table_of(const config::Grid& grid, const config::Published& published,
               const DatasetSummary& summary);

// All tables of an experiment under its title.
std::string markdown(const std::string& title, const std::vector<Table>& tables);
// The same for \input; needs no package but booktabs.
std::string latex(const std::vector<Table>& tables);

}  // namespace rallrec::pipeline
