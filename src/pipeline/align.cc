#include "pipeline/align.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/error.h"
#include "core/finite.h"
#include "distributed/joint_error.h"
#include "distributed/place.h"
#include "io/hdf5_file.h"
#include "io/npy.h"
#include "logging/progress.h"
#include "models/alignment/projector.h"
#include "pipeline/item_blocks.h"
#include "train/alignment_batches.h"
#include "train/projector_trainer.h"

namespace rallrec::pipeline {
namespace {

std::vector<std::int64_t> rows_with_an_edge(const EmbeddingMatrix& graph) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < graph.rows; ++row) {
    const auto first = graph.values.begin() + row * graph.columns;
    if (std::any_of(first, first + graph.columns, [](float value) { return value != 0.0f; })) {
      rows.push_back(row);
    }
  }
  return rows;
}

std::vector<float> chosen_rows(const EmbeddingMatrix& matrix,
                               const std::vector<std::int64_t>& rows) {
  std::vector<float> values;
  values.reserve(rows.size() * static_cast<std::size_t>(matrix.columns));
  for (const std::int64_t row : rows) {
    const auto first = matrix.values.begin() + row * matrix.columns;
    values.insert(values.end(), first, first + matrix.columns);
  }
  return values;
}

void check_matrices(const EmbeddingMatrix& text, const EmbeddingMatrix& graph,
                    const std::string& where) {
  if (text.rows != graph.rows) {
    throw_bad_data(where, "has " + std::to_string(graph.rows) + " rows, the text matrix has " +
                              std::to_string(text.rows) + "; row i of both must be item i");
  }
  if (text.columns == 0 || graph.columns == 0) {
    throw_bad_data(where, "the text and the graph matrix need at least one column each");
  }
}

// Of the loss over the items of one step.
train::AlignmentBounds bounds_of(const Alignment& alignment, const config::AlignOptions& options) {
  return train::alignment_bounds(train::items_per_step(alignment.trained_rows, options),
                                 options.temperature);
}

void log_outcome(const Alignment& alignment, const config::AlignOptions& options) {
  const std::vector<double>& losses = alignment.losses;
  const train::AlignmentBounds bounds = bounds_of(alignment, options);
  spdlog::info(
      "align: {} items, loss {:.4f} -> {:.4f} in {} steps; chance {:.4f}, no vectors get below "
      "{:.4f}",
      alignment.trained_rows, losses.front(), losses.back(), losses.size(), bounds.chance,
      bounds.lowest);
  if (losses.back() > bounds.chance) {
    spdlog::warn("align: the loss ended worse than chance; try a smaller align.learning_rate");
  }
}

EmbeddingMatrix read_matrix(const std::string& path) {
  io::NpyMatrix matrix = io::read_npy_matrix(path);
  return {matrix.rows, matrix.columns, std::move(matrix.values)};
}

}  // namespace

Alignment align_embeddings(const EmbeddingMatrix& text, const EmbeddingMatrix& graph,
                           const std::string& where, const config::Options& options,
                           distributed::Communicator& communicator) {
  check_matrices(text, graph, where);
  const std::vector<std::int64_t> rows = rows_with_an_edge(graph);
  if (rows.size() < 2) {
    throw_bad_data(where, "needs at least two rows that are not zero to align with");
  }
  const config::AlignOptions& settings = options.align;
  const auto owner =
      distributed::make_place({options.cluster.device, options.cluster.nccl_init}, communicator);
  const distributed::Place place = owner->place();
  models::Projector projector(
      {text.columns, settings.hidden_size, graph.columns, settings.activation},
      static_cast<std::uint64_t>(settings.seed), place.queue);
  Alignment result;
  result.trained_rows = static_cast<std::int64_t>(rows.size());
  {
    logging::Progress progress("align", "steps", settings.steps);
    result.losses =
        train::train_projector(projector, chosen_rows(text, rows), chosen_rows(graph, rows),
                               settings, place, [&progress](std::int64_t, double loss) {
                                 progress.advance(1, fmt::format("loss {:.4f}", loss));
                               });
  }
  log_outcome(result, settings);
  result.projected = {text.rows, graph.columns, train::project_rows(projector, text.values, place)};
  if (!all_finite(result.projected.values.data(), result.projected.values.size())) {
    throw Error(ExitCode::kNonFinite,
                "align: the projected rows are not finite; a smaller align.learning_rate may help");
  }
  return result;
}

void align_on_files(const AlignFiles& files, const config::Options& options,
                    distributed::Communicator& communicator) {
  const Alignment result = align_embeddings(read_matrix(files.text), read_matrix(files.graph),
                                            files.graph, options, communicator);
  distributed::run_on_rank_0(communicator, [&] {
    io::write_npy(files.output, result.projected.values.data(),
                  {result.projected.rows, result.projected.columns});
    spdlog::info("align: {} written", files.output);
  });
}

void run_align(StageContext& context) {
  const std::string graph_path = context.run_dir + "/light_gcn/graph_embeddings.h5";
  const Alignment result =
      align_embeddings(read_text_block(context), read_embeddings(graph_path, "item"), graph_path,
                       context.options, context.communicator);
  distributed::run_on_rank_0(context.communicator, [&] {
    io::Hdf5Writer file(context.run_dir + "/align/aligned_embeddings.h5");
    file.add_matrix("ssl", result.projected.values.data(), result.projected.rows,
                    result.projected.columns);
    file.add("loss", result.losses);
    file.commit();
  });
  const train::AlignmentBounds bounds = bounds_of(result, context.options.align);
  context.report.add("items", result.trained_rows);
  context.report.add("loss", result.losses.back());
  context.report.add("loss by chance", bounds.chance);
  context.report.add("lowest loss", bounds.lowest);
}

}  // namespace rallrec::pipeline
