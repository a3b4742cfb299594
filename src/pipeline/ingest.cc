#include "pipeline/ingest.h"

#include <spdlog/spdlog.h>

#include <filesystem>

#include "data/dataset_file.h"
#include "data/datasets/registry.h"
#include "data/statistics.h"
#include "distributed/joint_error.h"
#include "io/artifact_store.h"
#include "io/files.h"

namespace rallrec::pipeline {
namespace {

void report_statistics(const data::DatasetStatistics& statistics, StageReport& report) {
  for (const std::string& line : data::lines_of(statistics)) spdlog::info("ingest: {}", line);
  report.add("interactions", statistics.rows);
  report.add("users", statistics.users);
  report.add("items", statistics.items);
  report.add("samples", statistics.samples());
  report.add("train", statistics.splits[0].samples);
  report.add("valid", statistics.splits[1].samples);
  report.add("test", statistics.splits[2].samples);
  report.add("test positive rate", statistics.splits[2].positive_rate());
  if (statistics.rejected_rows > 0) report.add("rejected rows", statistics.rejected_rows);
  if (statistics.filtered_rows > 0) report.add("filtered rows", statistics.filtered_rows);
  if (statistics.repeated_rows > 0) report.add("repeated rows", statistics.repeated_rows);
}

// Rows that an earlier start dropped say nothing about this one.
void remove_rejects(const std::string& run_dir) {
  for (const std::string& file : io::files_below(run_dir, "ingest")) {
    const std::filesystem::path path = run_dir + "/" + file;
    std::error_code ignored;
    if (path.extension() == ".rejects") std::filesystem::remove(path, ignored);
  }
}

void write_dataset(StageContext& context, data::RawData&& raw) {
  const config::DataOptions& options = context.options.data;
  const std::string folder = context.run_dir + "/ingest";
  const data::Dataset dataset = data::build_dataset(std::move(raw), options);
  data::save_dataset(folder + "/interactions.h5", dataset);
  report_statistics(data::statistics_of(dataset), context.report);
}

}  // namespace

void run_ingest(StageContext& context) {
  const config::DataOptions& options = context.options.data;
  const bool writes = context.communicator.rank() == 0;
  const std::string folder = context.run_dir + "/ingest";
  distributed::run_on_rank_0(context.communicator, [&] {
    io::make_directories(folder);
    remove_rejects(context.run_dir);
  });
  data::RawData raw =
      data::read_dataset(options.dataset, options.path,
                         {options.max_bad_rows, writes ? folder : "", &context.communicator});
  distributed::run_on_rank_0(context.communicator, [&] { write_dataset(context, std::move(raw)); });
}

}  // namespace rallrec::pipeline
