#pragma once

#include <cstdint>

#include "config/options.h"
#include "data/ctr_data.h"
#include "distributed/communicator.h"
#include "train/ctr_step.h"

namespace rallrec::train {

// One pass over `samples` in batches of options.batch_size, in an order that is a function of
// options.seed and the epoch. Returns the mean cross-entropy, each sample's before the update from
// its batch. Throws Error (kNonFinite) that names the batch where one is not finite. Collective.
double train_ctr_epoch(CtrStep& step, const data::CtrSamples& samples,
                       const config::BaselineOptions& options, std::int64_t epoch,
                       distributed::Communicator& communicator);

}  // namespace rallrec::train
