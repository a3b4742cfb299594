#pragma once

#include "pipeline/stage.h"

namespace rallrec::pipeline {

// The stage light_gcn: LightGCN on the edges that light_gcn.edges names (eq. 4), written to
// light_gcn/graph_embeddings.h5:
//   item, user     fp32 [items, width], [users, width]; the zero vector where there is no edge
//   epoch_loss     fp64 [epochs]
//   valid_recall   fp64 [epochs], recall@20 over the held-out edges; negative where not looked at
// The epoch is chosen by the held-out edges of leave_one_out; with up_to_last_train by the valid
// samples, restricted to users and items that have an edge. Nothing of test is read.
void run_light_gcn(StageContext& context);

}  // namespace rallrec::pipeline
