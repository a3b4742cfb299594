#include "pipeline/bench/bench.h"

namespace rallrec::pipeline {

const std::vector<Bench>& bench_table() {
  static const std::vector<Bench> table = {
      {"tune", "one optimizer step: packed, padded, its bare products; memory and traffic", true,
       bench_tune},
      {"embed", "hidden states of the prompts: packed, and one by one", true, bench_embed},
      {"infer", "scores of the prompts: packed, and one by one", true, bench_infer},
      {"load", "from start to the first step, by phase", true, bench_load},
      {"matmul", "packed frozen weights against libtorch's linear and bare registers", false,
       bench_matmul},
      {"info_nce", "symmetric InfoNCE in tiles against libtorch on the whole matrix of scores",
       false, bench_info_nce},
      {"light_gcn", "one epoch on the edges of a .inter file, or on a made-up graph", false,
       bench_light_gcn, true},
      {"ingest", "raw files of a data set (data.dataset, data.path) to samples", false,
       bench_ingest},
      {"tokenize", "texts to ids on one thread", true, bench_tokenize},
      {"auc", "AUC of scores shared out over ranks, and of all in one sort", false, bench_auc},
      {"retrieve", "the best of a whole catalogue, in blocks, against libtorch", false,
       bench_retrieve},
      {"machine", "rates of a rank and its links, for `rallrec plan --machine`", false,
       bench_machine},
      {"ctr", "an epoch of each baseline on the data of section [data]", false, bench_ctr, true},
      {"stage", "one stage on these ranks alone: rate, bytes, overlap; a point of bench scaling",
       false, bench_stage},
  };
  return table;
}

}  // namespace rallrec::pipeline
