#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"

namespace rallrec::pipeline {

// What one bench is given.
struct BenchRequest {
  std::string model;    // Hugging Face folder; most benches need none
  std::string input;    // prompts with answers; tokenize: texts; auc: .npy of scores and labels
  std::string against;  // tune: a second quant mode to time beside; "" = none
  bool all_positions = false;  // tune: time the logits of every token beside
  double link = 0.0;           // tune: megabytes per second of a slow link to time beside; 0 = none
  std::int64_t edges = 100000;  // light_gcn: of a made-up graph, where there is no input
  std::int64_t items = 16384;   // info_nce: rows of X and of Y
  std::int64_t width = 128;     // info_nce: elements of a row
  double temperature = 0.1;     // info_nce
  std::string stage = "tune";   // stage: tune, embed, infer or light_gcn
  std::int64_t count = 32;
  int repeats = 5;
};

// What a bench works with. References outlive it.
struct BenchRun {
  const BenchRequest& request;
  const config::Options& options;
  distributed::Communicator& communicator;
};

// One bench: verifies its arms, times them and prints one JSON line per arm on rank 0
// (bench/line.h). Throws kNonFinite, and prints no time, where arms do not agree. Collective.
struct Bench {
  std::string name;
  std::string summary;
  bool needs_model = true;
  void (*run)(const BenchRun& run) = nullptr;
  bool on_gpus = false;  // --device cuda is not refused
};

void bench_tune(const BenchRun& run);
void bench_embed(const BenchRun& run);
void bench_infer(const BenchRun& run);
void bench_load(const BenchRun& run);
void bench_matmul(const BenchRun& run);
void bench_info_nce(const BenchRun& run);
void bench_light_gcn(const BenchRun& run);
void bench_ingest(const BenchRun& run);
void bench_tokenize(const BenchRun& run);
void bench_auc(const BenchRun& run);
void bench_retrieve(const BenchRun& run);
void bench_machine(const BenchRun& run);
void bench_ctr(const BenchRun& run);
void bench_stage(const BenchRun& run);

// All benches; a new one is a line here.
const std::vector<Bench>& bench_table();

}  // namespace rallrec::pipeline
