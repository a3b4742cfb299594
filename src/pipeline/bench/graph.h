#pragma once

#include <vector>

#include "data/csr_graph.h"
#include "pipeline/bench/bench.h"

namespace rallrec::pipeline {

// The edges of request.input, or a made-up graph of request.edges.
data::CsrGraph bench_graph(const BenchRequest& request);

// Epochs of light_gcn after one to warm up, request.repeats of them.
struct GraphEpochs {
  std::vector<double> seconds;
  double loss = 0.0;  // of the last
};
GraphEpochs run_graph_epochs(const data::CsrGraph& graph, const BenchRun& run);

}  // namespace rallrec::pipeline
