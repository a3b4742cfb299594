// Keys of the sections that say where data, model and machine are.
#include "config/field.h"

namespace rallrec::config {
namespace {

void add_watchdog(std::vector<Field>& list) {
  using Watchdog = WatchdogOptions;
  const Check seconds = real_between(1.0, 1e9);
  SectionFields<Watchdog>(list, "watchdog", &Options::watchdog)
      .add("timeout", &Watchdog::timeout, real_between(0.0, 1e9),
           "seconds without progress on any rank before the job ends as hung; 0 = never")
      .add("load", &Watchdog::load, seconds, "the same while a rank reads weights")
      .add("prompts", &Watchdog::prompts, seconds, "the same while a rank works on data or prompts")
      .add("checkpoint", &Watchdog::checkpoint, seconds,
           "the same while a rank writes a checkpoint");
}

}  // namespace

void add_data_fields(std::vector<Field>& list) {
  using Data = DataOptions;
  SectionFields<Data>(list, "data", &Options::data)
      .add("dataset", &Data::dataset,
           one_of({"movielens-100k", "movielens-1m", "book-crossing", "amazon", "atomic"}),
           "reader: movielens-100k, movielens-1m, book-crossing, amazon or atomic (RecBole "
           ".inter/.item/.user)")
      .add("path", &Data::path, anything(), "folder with the raw files")
      .add("label_threshold", &Data::label_threshold, real_between(-1e9, 1e9),
           "a rating strictly above this is label 1")
      .add("order", &Data::order, one_of({"time", "file", "shuffle"}),
           "what orders a user's rows: time, file or shuffle")
      .add("implicit", &Data::implicit, one_of({"dislike", "drop"}),
           "rows with the rating 0: dislike (keep) or drop")
      .add("required_fields", &Data::required_fields, anything(),
           "fields that an item must have, such as title")
      .add("core_min_user_rows", &Data::core_min_user_rows, at_least(0),
           "fewest rows of a user in the core; 0 = no bound")
      .add("core_max_user_rows", &Data::core_max_user_rows, at_least(0),
           "most rows of a user in the core; 0 = no bound")
      .add("core_min_item_rows", &Data::core_min_item_rows, at_least(0),
           "fewest rows of an item in the core; 0 = no bound")
      .add("core_max_item_rows", &Data::core_max_item_rows, at_least(0),
           "most rows of an item in the core; 0 = no bound")
      .add("core_order", &Data::core_order, one_of({"users_first", "items_first", "together"}),
           "who is left out of the core first: users_first, items_first or together")
      .add("core_keeps", &Data::core_keeps, one_of({"rows", "items"}),
           "what is kept of the core: its rows, or all rows of its items")
      .add("frequent_items", &Data::frequent_items, at_least(0),
           "how many items with most rows are kept after the core; 0 = all")
      .add("min_user_rows", &Data::min_user_rows, at_least(0),
           "fewest rows of a user after all else is left out")
      .add("samples", &Data::samples, one_of({"all", "last_per_user"}),
           "which rows become samples: all or last_per_user")
      .add("min_history", &Data::min_history, at_least(0),
           "interactions a user must have before one becomes a sample")
      .add("split", &Data::split, one_of({"ordered", "shuffle"}),
           "how samples are split: ordered or shuffle (with samples = last_per_user)")
      .add("train_share", &Data::train_share, real_between(0.0, 1.0, true, true),
           "share of samples, in the order of split, that train gets")
      .add("valid_share", &Data::valid_share, real_between(0.0, 1.0, false, true),
           "share of samples, in the order of split, that valid gets; the rest is test")
      .add("deduplicate", &Data::deduplicate, anything(),
           "keep only the newest row of a repeated (user, item) pair")
      .add("max_bad_rows", &Data::max_bad_rows, at_least(0),
           "malformed rows set aside in .rejects before reading stops")
      .add("seed", &Data::seed, at_least(0), "seed of the shuffles of order and split");
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
           "compute threads per rank; 0 = OMP_NUM_THREADS, else its share of the cores it may use")
      .add("replicate_base", &ClusterOptions::replicate_base, anything(),
           "every rank keeps the whole frozen model; off: int8 models are shared out")
      .add("nccl_init", &ClusterOptions::nccl_init, meeting_point(),
           "how ranks with GPUs find each other: mpi, file:PATH or tcp:HOST:PORT");
  add_watchdog(list);
  SectionFields<OutputOptions>(list, "output", &Options::output)
      .add("run_dir", &OutputOptions::run_dir, anything(),
           "the run folder; empty = runs/<name of the config file>")
      .add("progress_seconds", &OutputOptions::progress_seconds, real_between(0.1, 86400.0),
           "seconds between progress lines where stderr is not a terminal");
}

}  // namespace rallrec::config
