#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"
#include "models/alignment/projector.h"

namespace rallrec::train {

// Where the loss of eq. 5 can lie for `count` items: `chance` = 2 ln N is what uncorrelated vectors
// give; no vectors at all get below `lowest` = 2 ln(1 + (N-1) e^(-N / ((N-1) temperature))).
struct AlignmentBounds {
  double chance = 0.0;
  double lowest = 0.0;
};
AlignmentBounds alignment_bounds(std::int64_t count, double temperature);

// Rows of the catalogue per call of the projector and of the InfoNCE kernel: fixed by the number of
// rows, so that results do not depend on who computes which block.
std::int64_t alignment_block_rows(std::int64_t rows);

// Trains the projector by full-catalogue symmetric InfoNCE (eq. 5): options.steps steps of Adam on
// all rows at once; the graph vectors are frozen.
//   text   fp32 [rows, shape.input], the items that take part
//   graph  fp32 [rows, shape.output], no zero row
// Both complete on every rank. Ranks share the row blocks; gradients are summed by the fixed tree,
// so the bits do not depend on the number of ranks at equal threads per rank. `on_step` gets the
// step (from 1) and the loss before its update, on every rank. Throws Error (kNonFinite) where the
// loss is not finite. Returns the losses. Collective.
std::vector<double> train_projector(models::Projector& projector, const at::Tensor& text,
                                    const at::Tensor& graph, const config::AlignOptions& options,
                                    distributed::Communicator& communicator,
                                    const std::function<void(std::int64_t, double)>& on_step);

// Eq. 6 for every row of `text`, in the same fixed blocks: fp32 [rows, output] on every rank.
// Collective.
at::Tensor project_rows(const models::Projector& projector, const at::Tensor& text,
                        distributed::Communicator& communicator);

}  // namespace rallrec::train
