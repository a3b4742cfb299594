#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "config/options.h"
#include "distributed/place.h"
#include "models/alignment/projector.h"

namespace rallrec::train {

// Where the loss of eq. 5 can lie for `count` items: `chance` = 2 ln N is what uncorrelated vectors
// give; no vectors at all get below `lowest` = 2 ln(1 + (N-1) e^(-N / ((N-1) temperature))).
struct AlignmentBounds {
  double chance = 0.0;
  double lowest = 0.0;
};
AlignmentBounds alignment_bounds(std::int64_t count, double temperature);

// Trains the projector, which is on the place's device, by symmetric InfoNCE (eq. 5):
// options.steps steps of Adam, each on all rows at once or on a batch (alignment_batches.h); the
// graph vectors are frozen.
//   text   fp32 [rows, shape.input], the items that take part
//   graph  fp32 [rows, shape.output], no zero row
// Both in host memory, complete on every rank. Ranks share the blocks of rows of AlignmentCut;
// gradients are summed by the fixed tree: on the CPU bits depend neither on ranks nor on threads.
// `on_step` gets the step (from 1) and the loss before its update, on every rank, some steps late:
// on a GPU the host waits once for several steps. Throws Error (kNonFinite) where a loss is not
// finite. Returns the losses. Collective.
std::vector<double> train_projector(models::Projector& projector, const std::vector<float>& text,
                                    const std::vector<float>& graph,
                                    const config::AlignOptions& options,
                                    const distributed::Place& place,
                                    const std::function<void(std::int64_t, double)>& on_step);

// Eq. 6 for every row of `text`, [rows, shape.input] in host memory: fp32 [rows, output] in host
// memory on every rank. Collective.
std::vector<float> project_rows(const models::Projector& projector, const std::vector<float>& text,
                                const distributed::Place& place);

}  // namespace rallrec::train
