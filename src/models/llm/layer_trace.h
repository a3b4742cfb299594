#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/stopwatch.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// When each layer of a model was on its way from other ranks, waited for and computed with, on one
// rank, as spans of the Chrome trace format (read by Perfetto and chrome://tracing).
class LayerTrace {
 public:
  enum class Row { kCompute, kWait, kGather };

  // Time counts from here; `rank` is the process number in the trace. Spans after the first `most`
  // are left out.
  explicit LayerTrace(int rank, std::size_t most = 20000) : rank_(rank), most_(most) {}

  double now() const { return watch_.seconds(); }
  // Layer -1 is the head with the loss.
  void add(Row row, std::int64_t layer, double begin, double end);

  // The spans as JSON objects, one per line, each followed by a comma but the last.
  std::string events() const;

 private:
  struct Span {
    Row row;
    std::int64_t layer;
    double begin;
    double end;
  };

  int rank_;
  std::size_t most_;
  Stopwatch watch_;
  std::vector<Span> spans_;
};

// One file of the events of all ranks.
std::string trace_file_text(const std::vector<std::string>& events_of_ranks);

// The same weights, whose use `trace` records; it must outlive them.
std::unique_ptr<WeightStore> trace_layers(std::unique_ptr<WeightStore> weights, LayerTrace& trace);

}  // namespace rallrec::models::llm
