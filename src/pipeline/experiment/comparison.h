#pragma once

#include <map>
#include <vector>

#include "metrics/scored_samples.h"
#include "pipeline/experiment/summary.h"

namespace rallrec::pipeline {

// By the number of the cell.
using CellScores = std::map<std::size_t, metrics::ScoredSamples>;

bool same_sweep(const Cell& a, const Cell& b);

// Compares every row but helpers with its reference: with that system's row at the same values of
// the sweeps, or else its only one. The scores of all cells are of the same samples where users and
// samples are to be tested (bootstrap, DeLong). Collective.
std::vector<Comparison> compare(const config::Grid& grid, const std::vector<SummaryRow>& rows,
                                const std::vector<Cell>& cells, const CellScores& scores,
                                distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
