#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/options.h"
#include "data/ctr_data.h"
#include "data/ctr_features.h"
#include "distributed/place.h"

namespace rallrec::train {

struct CtrEpoch {
  std::int64_t epoch = 0;  // from 1
  double loss = 0.0;       // mean cross-entropy, each sample's before the update from its batch
  double seconds = 0.0;    // training only
  double valid_auc = 0.0;
};

struct CtrTraining {
  std::vector<CtrEpoch> epochs;
  std::int64_t best_epoch = 0;
  std::int64_t parameters = 0;      // but for the embedding tables
  std::vector<double> test_scores;  // of the best epoch, in the order of the test samples
};

// Trains an id-feature model (models/ctr/ctr_model.h) with Adam on batches of the training samples
// in an order drawn per epoch; looks at the AUC of the valid samples after each epoch, ends after
// options.patience epochs without a better one, and scores the test samples with the best.
//
// Data-parallel (train/ctr_step.h): the result has the same bits on any number of ranks and
// threads. Throws usage on an unknown model and on an option that does not fit, bad data where a
// split has only one label, and Error (kNonFinite) where loss or scores are not finite. `on_epoch`
// is called on every rank. Collective.
CtrTraining train_ctr(const std::string& model, const data::CtrData& data,
                      const data::CtrFeatures& features, const config::BaselineOptions& options,
                      const distributed::Place& place,
                      const std::function<void(const CtrEpoch&)>& on_epoch);

}  // namespace rallrec::train
