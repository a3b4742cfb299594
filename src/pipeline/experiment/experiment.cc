#include "pipeline/experiment/experiment.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "config/published.h"
#include "core/stopwatch.h"
#include "core/usable_gpu.h"
#include "distributed/joint_error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/json_writer.h"
#include "logging/log.h"
#include "logging/progress.h"
#include "pipeline/experiment/cell_failure.h"
#include "pipeline/experiment/cell_result.h"
#include "pipeline/experiment/summary.h"
#include "pipeline/experiment/summary_json.h"
#include "pipeline/experiment/table.h"
#include "pipeline/preflight.h"
#include "pipeline/run_lock.h"
#include "pipeline/stage_table.h"

namespace rallrec::pipeline {
namespace {

bool worked(const CellResult& result) {
  return std::any_of(result.stages.begin(), result.stages.end(),
                     [](const StageOutcome& stage) { return !stage.kept; });
}

class Experiment {
 public:
  Experiment(const ExperimentRequest& request, distributed::Communicator& communicator)
      : request_(request),
        communicator_(communicator),
        published_(request.published),
        cells_(unroll(request.grid, request.from, request.only)),
        results_(cells_.size()),
        store_(request.store.empty() ? request.from.folder + "/store" : request.store),
        failures_(communicator, request.patience) {}

  ExperimentOutcome run() {
    std::vector<std::unique_ptr<RunLock>> locks;
    distributed::run_on_rank_0(communicator_, [&] {
      locks.push_back(lock_of(request_.from.folder));
      if (!request_.store.empty()) {
        locks.push_back(lock_of(request_.store));
      }
    });
    logging::log_to_folder(request_.from.folder);
    const std::string left = cells_left_for_the_end();
    run_cells([&left](std::size_t i) { return left[i] == '0'; });
    summarise_all();
    if (left.find('1') != std::string::npos) {
      run_cells([&left](std::size_t i) { return left[i] == '1'; });
      summarise_all();
    }
    return {code(), tables_};
  }

 private:
  static std::unique_ptr<RunLock> lock_of(const std::string& folder) {
    io::make_directories(folder);
    return std::make_unique<RunLock>(folder);
  }

  // '1' for each cell that ended the program the last time, else '0'.
  std::string cells_left_for_the_end() {
    std::string left(cells_.size(), '0');
    distributed::run_on_rank_0(communicator_, [&] {
      for (std::size_t i = 0; i < cells_.size(); ++i) {
        results_[i].failure = CellFailures::left_in(cells_[i].options.output.run_dir);
        left[i] = results_[i].failure ? '1' : '0';
      }
    });
    left = distributed::broadcast_string(communicator_, left, 0);
    return left;
  }

  template <typename Choose>
  void run_cells(const Choose& choose) {
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (choose(i)) {
        run_cell(i);
        logging::log_to_folder(request_.from.folder);
        write_results();
      }
    }
  }

  void run_cell(std::size_t i) {
    spdlog::info("cell {} of {}: {}{}", i + 1, cells_.size(), name_of(cells_[i]), time_left());
    const std::string& folder = cells_[i].options.output.run_dir;
    failures_.begin(folder);
    const Stopwatch watch;
    results_[i].failure = cell_failure([&] { attempt(i); });
    if (results_[i].failure) {
      failures_.go_on_together(folder, *results_[i].failure);
      spdlog::error("cell {} of {} failed: {}: {}", i + 1, cells_.size(), name_of(cells_[i]),
                    results_[i].failure->message);
    }
    results_[i].done = !results_[i].failure;
    ++visited_;
    if (worked(results_[i])) {
      ++worked_;
      seconds_ += watch.seconds();
    }
  }

  void attempt(std::size_t i) {
    const Cell& cell = cells_[i];
    if (cell.options.cluster.device == "cuda") {
      require_usable_gpu();
    }
    const std::vector<Stage> table = run_table(cell.options);
    const std::vector<Stage> stages = select_stages(table, cell.stages, cell.options);
    distributed::run_on_rank_0(communicator_, [&] {
      check_external_inputs(stages, cell.options);
      check_run_inputs(stages, cell.options.output.run_dir);
    });
    RunRequest run;
    run.run_dir = cell.options.output.run_dir;
    run.stages = cell.stages;
    run.store = &store_;
    results_[i].stages = run_pipeline(run, cell.options, communicator_, table);
    distributed::run_on_rank_0(communicator_, [&] { results_[i].metrics = metrics_of_run(cell); });
  }

  // ", about 12 min 3 s left": at the pace of the cells that were not up to date.
  std::string time_left() const {
    if (worked_ == 0) {
      return "";
    }
    const double each = seconds_ / static_cast<double>(worked_);
    const double left = each * static_cast<double>(cells_.size() - visited_);
    return ", about " + logging::duration_text(left) + " left";
  }

  void summarise_all() {
    summaries_.clear();
    for (const config::GridDataset& dataset : request_.grid.datasets) {
      summaries_.push_back(
          summarise(request_.grid, dataset, published_, cells_, results_, communicator_));
    }
    correct_for_number(summaries_);
    write_results();
    distributed::run_on_rank_0(communicator_, [&] { write_summary(); });
  }

  void write_results() {
    distributed::run_on_rank_0(communicator_, [&] {
      io::JsonlWriter lines(request_.from.folder + "/results.jsonl");
      for (std::size_t i = 0; i < cells_.size(); ++i) {
        const Cell& cell = cells_[i];
        lines.write_line(result_line(
            name(), cell, results_[i],
            published_.row(request_.grid.table, cell.dataset->published, cell.system->name)));
      }
      lines.commit();
    });
  }

  void write_summary() {
    std::vector<Table> tables;
    for (const DatasetSummary& summary : summaries_) {
      tables.push_back(table_of(request_.grid, published_, summary));
    }
    tables_ = markdown(request_.grid.title, tables);
    const std::string& folder = request_.from.folder;
    io::write_file_atomically(
        folder + "/summary.json",
        summary_json(name(), request_.grid, published_, summaries_, results_));
    io::write_file_atomically(folder + "/table.md", tables_);
    io::write_file_atomically(folder + "/table.tex", latex(tables));
  }

  ExitCode code() const {
    for (const CellResult& result : results_) {
      if (result.failure) {
        return result.failure->code;
      }
    }
    return ExitCode::kDone;
  }

  // That of the grid file.
  std::string name() const {
    const std::string file = io::name_of(request_.from.grid_file);
    return file.substr(0, file.rfind('.'));
  }

  const ExperimentRequest& request_;
  distributed::Communicator& communicator_;
  const config::Published& published_;
  std::vector<Cell> cells_;
  std::vector<CellResult> results_;
  StageStore store_;
  CellFailures failures_;
  std::vector<DatasetSummary> summaries_;
  std::string tables_;
  std::size_t visited_ = 0;
  std::size_t worked_ = 0;
  double seconds_ = 0.0;
};

}  // namespace

ExperimentOutcome run_experiment(const ExperimentRequest& request,
                                 distributed::Communicator& communicator) {
  return Experiment(request, communicator).run();
}

std::string plan_lines(const std::vector<Cell>& cells) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::string stages;
    for (const std::string& stage : cells[i].stages) {
      stages.append(stages.empty() ? "" : ",").append(stage);
    }
    text.append(fmt::format("{:>4}  {}  {}\n", i + 1, name_of(cells[i]), stages));
  }
  return text;
}

}  // namespace rallrec::pipeline
