#pragma once

#include "io/json_writer.h"
#include "metrics/evaluation.h"

namespace rallrec::metrics {

// {"n", "positive_rate", "auc", "log_loss", "accuracy", "auc_squashed", "log_loss_squashed",
//  "intervals": {"auc": [low, high], …}, "resampled": "users"}. The squashed values are left out
//  where there are none; an
// AUC or an interval that cannot be computed is null.
io::JsonObjectWriter evaluation_json(const Evaluation& evaluation);

// {"n", "auc", "log_loss", "accuracy", "intervals", "resampled"} in the same form, and "delong":
// {"difference", "standard_error", "z", "p"} of the AUC, null where there is none.
io::JsonObjectWriter difference_json(const EvaluationDifference& difference);

}  // namespace rallrec::metrics
