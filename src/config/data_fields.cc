// Keys of the sections that say where data, model and machine are.
#include "config/field.h"

namespace rallrec::config {

void add_data_fields(std::vector<Field>& list) {
  using Data = DataOptions;
  SectionFields<Data>(list, "data", &Options::data)
      .add("dataset", &Data::dataset, one_of({"movielens-100k", "movielens-1m", "atomic"}),
           "reader: movielens-100k, movielens-1m or atomic (RecBole .inter/.item/.user)")
      .add("path", &Data::path, anything(), "folder with the raw files")
      .add("label_threshold", &Data::label_threshold, real_between(-1e9, 1e9),
           "a rating strictly above this is label 1")
      .add("min_history", &Data::min_history, at_least(0),
           "interactions a user must have before one becomes a sample")
      .add("train_share", &Data::train_share, real_between(0.0, 1.0, true, true),
           "share of samples, in time order, that train gets")
      .add("valid_share", &Data::valid_share, real_between(0.0, 1.0, false, true),
           "share of samples, in time order, that valid gets; the rest is test")
      .add("deduplicate", &Data::deduplicate, anything(),
           "keep only the newest row of a repeated (user, item) pair")
      .add("max_bad_rows", &Data::max_bad_rows, at_least(0),
           "malformed rows set aside in .rejects before reading stops");
  SectionFields<ModelOptions>(list, "model", &Options::model)
      .add("path", &ModelOptions::path, anything(), "Hugging Face folder of the LLM")
      .add("quant", &ModelOptions::quant, quant_mode(),
           "compute mode of the frozen weights: llm_int8, w8a16, w8a8, bf16, fp32, or auto (bf16 "
           "where "
           "the CPU has instructions for it, else fp32)")
      .add("cache", &ModelOptions::cache, anything(),
           "folder that keeps quantised layers for the next start; empty = none");
  SectionFields<ClusterOptions>(list, "cluster", &Options::cluster)
      .add("device", &ClusterOptions::device, one_of({"cpu", "cuda"}), "cpu or cuda")
      .add("threads", &ClusterOptions::threads, between(0, 4096),
           "compute threads per rank; 0 = OMP_NUM_THREADS, else cores / ranks on this node")
      .add("replicate_base", &ClusterOptions::replicate_base, anything(),
           "every rank keeps the whole frozen model; off: int8 models are shared out")
      .add("nccl_init", &ClusterOptions::nccl_init, meeting_point(),
           "how ranks with GPUs find each other: mpi, file:PATH or tcp:HOST:PORT");
  SectionFields<OutputOptions>(list, "output", &Options::output)
      .add("run_dir", &OutputOptions::run_dir, anything(),
           "the run folder; empty = runs/<name of the config file>")
      .add("progress_seconds", &OutputOptions::progress_seconds, real_between(0.1, 86400.0),
           "seconds between progress lines where stderr is not a terminal");
}

}  // namespace rallrec::config
