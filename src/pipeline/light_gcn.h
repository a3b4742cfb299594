#pragma once

#include "pipeline/stage.h"

namespace rallrec::pipeline {

// The stage light_gcn: LightGCN on the edges that light_gcn.edges names (eq. 4), written to
// light_gcn/graph_embeddings.h5:
//   item, user     fp32 [items, width], [users, width]; the zero vector where there is no edge
//   epoch_loss     fp64 [epochs]
//   valid_recall   fp64 [epochs], recall@20 over the held-out edges; negative where not looked at
// With leave_one_out the held-out edges choose the epoch. With up_to_last_train nothing is held out
// and all light_gcn.epochs are trained: the few valid samples between known users and items choose
// too noisily, so they only measure the result. Nothing of test is read.
void run_light_gcn(StageContext& context);

}  // namespace rallrec::pipeline
