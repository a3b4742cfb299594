#pragma once

#include "pipeline/stage.h"

namespace rallrec::pipeline {

// The stage ingest: reads the raw files of section [data] and writes ingest/interactions.h5
// (data/dataset_file.h). Dropped rows go to ingest/<file>.rejects. Rank 0 does the work, the others
// wait, so the result does not depend on the number of ranks.
void run_ingest(StageContext& context);

}  // namespace rallrec::pipeline
