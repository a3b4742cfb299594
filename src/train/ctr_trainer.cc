#include "train/ctr_trainer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/stopwatch.h"
#include "distributed/flight_marks.h"
#include "metrics/auc.h"
#include "train/ctr_epoch.h"

namespace rallrec::train {
namespace {

[[noreturn]] void throw_non_finite_scores() {
  throw Error(ExitCode::kNonFinite,
              "baseline: scores are not finite; a smaller baseline.learning_rate may help");
}

class Trainer {
 public:
  Trainer(const std::string& model, const data::CtrData& data, const data::CtrFeatures& features,
          const config::BaselineOptions& options, const distributed::Place& place)
      : data_(data), options_(options), host_(place.host), step_(model, features, options, place) {}

  CtrTraining run(const std::function<void(const CtrEpoch&)>& on_epoch) {
    result_.parameters = step_.parameter_count();
    for (std::int64_t epoch = 1; epoch <= options_.epochs && !stop_; ++epoch) {
      CtrEpoch record = train_epoch(epoch);
      look(record);
      result_.epochs.push_back(record);
      if (on_epoch) {
        on_epoch(record);
      }
    }
    step_.restore();
    result_.test_scores = finite_scores(data_.test);
    distributed::mark_phase(distributed::Phase::kData);
    return std::move(result_);
  }

 private:
  CtrEpoch train_epoch(std::int64_t epoch) {
    const Stopwatch watch;
    const double loss = train_ctr_epoch(step_, data_.train, options_, epoch, host_);
    return {epoch, loss, watch.seconds(), 0.0};
  }

  std::vector<double> finite_scores(const data::CtrSamples& split) {
    std::vector<double> scores = step_.score(split);
    if (!std::all_of(scores.begin(), scores.end(), [](double p) { return std::isfinite(p); })) {
      throw_non_finite_scores();
    }
    return scores;
  }

  // The valid AUC of the parameters as they stand; keeps them where it is the best so far.
  void look(CtrEpoch& record) {
    const distributed::PhaseScope scope(distributed::Phase::kEvaluation);
    const metrics::AucRanking ranking(finite_scores(data_.valid), data_.valid.label);
    record.valid_auc = ranking.auc().value_or(0.0);
    if (result_.best_epoch == 0 || record.valid_auc > best_auc_) {
      best_auc_ = record.valid_auc;
      result_.best_epoch = record.epoch;
      step_.keep();
      epochs_without_gain_ = 0;
    } else {
      ++epochs_without_gain_;
    }
    stop_ = epochs_without_gain_ >= options_.patience;
  }

  const data::CtrData& data_;
  const config::BaselineOptions& options_;
  distributed::Communicator& host_;
  CtrStep step_;
  CtrTraining result_;
  double best_auc_ = 0.0;
  std::int64_t epochs_without_gain_ = 0;
  bool stop_ = false;
};

}  // namespace

CtrTraining train_ctr(const std::string& model, const data::CtrData& data,
                      const data::CtrFeatures& features, const config::BaselineOptions& options,
                      const distributed::Place& place,
                      const std::function<void(const CtrEpoch&)>& on_epoch) {
  data::require_both_labels(data);
  return Trainer(model, data, features, options, place).run(on_epoch);
}

}  // namespace rallrec::train
