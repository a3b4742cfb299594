#include "metrics/evaluation_json.h"

namespace rallrec::metrics {
namespace {

void add_optional(io::JsonObjectWriter& object, const char* key,
                  const std::optional<double>& value) {
  object.add_json(key, value ? io::to_json(*value) : "null");
}

void add_interval(io::JsonObjectWriter& object, const char* key,
                  const std::optional<Interval>& interval) {
  if (interval) {
    object.add(key, std::vector<double>{interval->low, interval->high});
  } else {
    object.add_json(key, "null");
  }
}

io::JsonObjectWriter interval_json(const MetricIntervals& intervals) {
  io::JsonObjectWriter object;
  add_interval(object, "auc", intervals.auc);
  add_interval(object, "log_loss", intervals.log_loss);
  add_interval(object, "accuracy", intervals.accuracy);
  return object;
}

io::JsonObjectWriter test_json(const AucTest& test) {
  io::JsonObjectWriter object;
  object.add("difference", test.difference).add("standard_error", test.standard_error);
  add_optional(object, "z", test.z);
  add_optional(object, "p", test.p);
  return object;
}

}  // namespace

io::JsonObjectWriter evaluation_json(const Evaluation& evaluation) {
  const bool has_squashed = evaluation.log_loss_squashed.has_value();
  io::JsonObjectWriter object;
  object.add("n", evaluation.n).add("positive_rate", evaluation.positive_rate);
  add_optional(object, "auc", evaluation.auc);
  object.add("log_loss", evaluation.log_loss).add("accuracy", evaluation.accuracy);
  io::JsonObjectWriter intervals = interval_json(evaluation.intervals);
  if (has_squashed) {
    add_optional(object, "auc_squashed", evaluation.auc_squashed);
    object.add("log_loss_squashed", *evaluation.log_loss_squashed);
    add_interval(intervals, "auc_squashed", evaluation.intervals_squashed.auc);
    add_interval(intervals, "log_loss_squashed", evaluation.intervals_squashed.log_loss);
  }
  object.add_json("intervals", intervals.text()).add("resampled", evaluation.resampled);
  return object;
}

io::JsonObjectWriter difference_json(const EvaluationDifference& difference) {
  io::JsonObjectWriter object;
  object.add("n", difference.n);
  add_optional(object, "auc", difference.auc);
  object.add("log_loss", difference.log_loss).add("accuracy", difference.accuracy);
  object.add_json("intervals", interval_json(difference.intervals).text());
  object.add("resampled", difference.resampled);
  object.add_json("delong", difference.delong ? test_json(*difference.delong).text() : "null");
  return object;
}

}  // namespace rallrec::metrics
