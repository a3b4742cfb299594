#pragma once

#include <string>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"
#include "pipeline/embedding_file.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

struct Alignment {
  EmbeddingMatrix projected;   // eq. 6 for every row of the text matrix
  std::vector<double> losses;  // before each step
  std::int64_t trained_rows = 0;
};

// Trains the projector of eq. 5 on the rows whose graph vector is not zero, on cluster.device with
// progress on stderr, and projects every row. `where` names the graph matrix in messages; fewer
// than two such rows, or different numbers of rows, are bad data. Logs the loss beside its bounds.
// Collective.
Alignment align_embeddings(const EmbeddingMatrix& text, const EmbeddingMatrix& graph,
                           const std::string& where, const config::Options& options,
                           distributed::Communicator& communicator);

// The same between .npy files, [n, text width] and [n, graph width] to [n, graph width].
struct AlignFiles {
  std::string text;
  std::string graph;
  std::string output;
};
void align_on_files(const AlignFiles& files, const config::Options& options,
                    distributed::Communicator& communicator);

// The stage align: "text" of embed/text_embeddings.h5 and "item" of light_gcn/graph_embeddings.h5
// to align/aligned_embeddings.h5:
//   ssl    fp32 [items, graph width]
//   loss   fp64 [steps]
void run_align(StageContext& context);

}  // namespace rallrec::pipeline
