#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "distributed/communicator.h"

namespace rallrec::metrics {

// AucRanking(...).auc() of the scores of all ranks together, none of which ever holds them all: a
// sample sort over ranks. Each rank sorts its own scores and joins equal ones, so that ties weigh
// nothing, keeps one range of the scores, and counts the pairs whose positive lies in it. Exact in
// the same sense; the same bits for any number of ranks and any way the samples are dealt out.
//
// labels[i] is 0 or 1; scores are not NaN; a rank may have none. Empty where a class has no samples
// on any rank. Sends each rank's distinct scores once, 24 bytes each. Collective.
std::optional<double> sharded_auc(distributed::Communicator& communicator,
                                  const std::vector<double>& scores,
                                  const std::vector<std::uint8_t>& labels);

}  // namespace rallrec::metrics
