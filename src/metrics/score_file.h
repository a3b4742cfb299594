#pragma once

#include <string>

#include "distributed/communicator.h"
#include "metrics/scored_samples.h"

namespace rallrec::metrics {

// Reads a file of scored samples, JSON Lines or one JSON array of objects with
//   label           0 or 1; where it is missing, output: "Yes." or "No."
//   score           P(yes) in [0, 1]
//   score_squashed  in [0, 1]; optional, used where every line has it
//   user            a string or an integer; optional
//   item, timestamp strings or integers; optional: with user they say which row of the data set it
//                   is
// and returns all samples in the file's order on every rank. Each rank parses its own range of
// lines of a file; a pipe works with one rank. A bad line is bad data with path:line:column, the
// same on all ranks. No samples at all, or samples of one class only, are bad data that names the
// file. Collective.
ScoredSamples read_scored_samples(distributed::Communicator& communicator, const std::string& path);

}  // namespace rallrec::metrics
