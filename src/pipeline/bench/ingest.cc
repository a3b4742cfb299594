#include "core/error.h"
#include "data/datasets/registry.h"
#include "io/files.h"
#include "pipeline/bench/line.h"

namespace rallrec::pipeline {

void bench_ingest(const BenchRun& run) {
  const config::DataOptions& options = run.options.data;
  if (options.path.empty()) {
    throw_usage("bench ingest needs --set data.dataset=KIND and --set data.path=PATH");
  }
  data::Dataset dataset;
  const auto read = [&] {
    dataset = data::build_dataset(data::read_dataset(options.dataset, options.path,
                                                     {options.max_bad_rows, "", &run.communicator}),
                                  options);
  };
  const auto seconds = time_arms({read}, run.request.repeats, run.communicator);
  BenchLine line;
  line.bench = "ingest";
  line.arm = "files to samples";
  line.seconds = seconds[0];
  line.work = static_cast<double>(dataset.interactions.size());
  line.rate = line.work / seconds[0].median;
  line.more = {{"users", static_cast<double>(dataset.users.size())},
               {"items", static_cast<double>(dataset.items.size())},
               {"samples", static_cast<double>(dataset.samples.size())}};
  print_line(line, run);
}

}  // namespace rallrec::pipeline
