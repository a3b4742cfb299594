#include "models/llm/layer_trace.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <optional>
#include <utility>

namespace rallrec::models::llm {
namespace {

constexpr std::array<const char*, 3> kRowNames = {"compute", "wait", "gather"};

class TracedWeights : public WeightStore {
 public:
  TracedWeights(std::unique_ptr<WeightStore> weights, LayerTrace& trace)
      : weights_(std::move(weights)), trace_(trace) {}

  const LayerWeights& layer(std::int64_t layer, std::int64_t next) override {
    const double begin = trace_.now();
    end_computing(begin);
    const std::int64_t before = weights_->gathered().layers;
    const LayerWeights& result = weights_->layer(layer, next);
    const double end = trace_.now();
    note_gathers(layer, next, weights_->gathered().layers - before, begin, end);
    computing_ = layer;
    began_ = end;
    return result;
  }
  void begin(Turn wanted) override {
    end_computing(trace_.now());
    weights_->begin(wanted);
  }
  void confirm() override { weights_->confirm(); }
  std::int64_t most_passes(std::int64_t mine) override {
    end_computing(trace_.now());
    return weights_->most_passes(mine);
  }
  void embed(const std::vector<std::int64_t>& ids, const Rows& y) override {
    end_computing(trace_.now());
    weights_->embed(ids, y);
  }
  const float* final_norm() const override { return weights_->final_norm(); }
  const LmHead& head() const override {
    const double now = trace_.now();
    end_computing(now);
    computing_ = kHead;
    began_ = now;
    return weights_->head();
  }
  std::string mode() const override { return weights_->mode(); }
  std::int64_t frozen_bytes() const override { return weights_->frozen_bytes(); }
  GatherStatistics gathered() const override { return weights_->gathered(); }

 private:
  static constexpr std::int64_t kHead = -1;

  // A layer that was on its way has arrived; of those that were started in this call, `layer`
  // itself has too, and `next` is on its way since.
  void note_gathers(std::int64_t layer, std::int64_t next, std::int64_t started, double begin,
                    double end) {
    const bool was_coming = coming_ && *coming_ == layer;
    const bool was_at_hand = last_ == layer || before_last_ == layer;
    const bool fetched_now = !was_coming && !was_at_hand && started > 0;
    if (was_coming || fetched_now) {
      trace_.add(LayerTrace::Row::kGather, layer, was_coming ? coming_since_ : begin, end);
      trace_.add(LayerTrace::Row::kWait, layer, begin, end);
      coming_.reset();
    }
    if (started > (fetched_now ? 1 : 0)) {
      coming_ = next;
      coming_since_ = end;
    }
    if (last_ != layer) {
      before_last_ = std::exchange(last_, layer);
    }
  }

  void end_computing(double now) const {
    if (computing_) {
      trace_.add(LayerTrace::Row::kCompute, *computing_, began_, now);
      computing_.reset();
    }
  }

  std::unique_ptr<WeightStore> weights_;
  LayerTrace& trace_;
  mutable std::optional<std::int64_t> computing_;  // what was given out last
  mutable double began_ = 0.0;
  std::optional<std::int64_t> coming_;
  double coming_since_ = 0.0;
  std::int64_t last_ = -2;
  std::int64_t before_last_ = -2;
};

}  // namespace

void LayerTrace::add(Row row, std::int64_t layer, double begin, double end) {
  if (spans_.size() < most_) {
    spans_.push_back({row, layer, begin, end});
  }
}

std::string LayerTrace::events() const {
  std::string text;
  for (const Span& span : spans_) {
    const auto row = static_cast<std::size_t>(span.row);
    const std::string what = span.layer < 0 ? "head" : "L" + std::to_string(span.layer);
    fmt::format_to(std::back_inserter(text),
                   "{}{{\"name\": \"{} {}\", \"ph\": \"X\", \"pid\": {}, \"tid\": {}, \"ts\": "
                   "{:.1f}, \"dur\": {:.1f}}}",
                   text.empty() ? "" : ",\n", kRowNames[row], what, rank_, row, span.begin * 1e6,
                   (span.end - span.begin) * 1e6);
  }
  return text;
}

std::string trace_file_text(const std::vector<std::string>& events_of_ranks) {
  std::string events;
  for (std::size_t rank = 0; rank < events_of_ranks.size(); ++rank) {
    for (std::size_t row = 0; row < kRowNames.size(); ++row) {
      fmt::format_to(std::back_inserter(events),
                     "{}{{\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": {}, \"tid\": {}, "
                     "\"args\": {{\"name\": \"{}\"}}}}",
                     events.empty() ? "" : ",\n", rank, row, kRowNames[row]);
    }
    if (!events_of_ranks[rank].empty()) {
      events += ",\n";
      events += events_of_ranks[rank];
    }
  }
  return "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n" + events + "\n]}\n";
}

std::unique_ptr<WeightStore> trace_layers(std::unique_ptr<WeightStore> weights, LayerTrace& trace) {
  return std::make_unique<TracedWeights>(std::move(weights), trace);
}

}  // namespace rallrec::models::llm
