#include "pipeline/prompt.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/error.h"
#include "data/dataset_file.h"
#include "io/files.h"
#include "pipeline/prompt_samples.h"
#include "pipeline/prompt_writer.h"
#include "pipeline/wording.h"
#include "text/tokenizer.h"

namespace rallrec::pipeline {
namespace {

struct Views {
  std::vector<text::View> train;
  text::View test = text::View::kRerank;
  text::View zero_shot = text::View::kSimple;

  bool use_retrieval() const {
    return std::any_of(train.begin(), train.end(), uses_retrieval) || uses_retrieval(test) ||
           uses_retrieval(zero_shot);
  }
};

Views views_of(const config::Options& options_of_run) {
  const config::PromptOptions& options = options_of_run.prompt;
  Views views;
  for (const std::string& name : options.train_views) {
    views.train.push_back(text::view_from(name, "prompt.train_views"));
  }
  if (options_of_run.refcompat.first_2048_of_mixed) {
    views.train = {text::View::kHigh, text::View::kSequential, text::View::kSimple};
  }
  if (views.train.empty()) {
    throw_usage("prompt.train_views is empty; expected at least one view");
  }
  views.test = text::view_from(options.test_view, "prompt.test_view");
  views.zero_shot = text::view_from(options.zero_shot_view, "prompt.zero_shot_view");
  return views;
}

std::vector<PromptTask> training_tasks(const Views& views, const PromptSamples& samples,
                                       const config::Options& options) {
  std::vector<PromptTask> tasks = tasks_of(samples.train, views.train);
  if (options.refcompat.first_2048_of_mixed) {
    // The authors train on as many as for two views: on about two thirds of the samples.
    tasks.resize(std::min(tasks.size(), 2 * samples.train.size()));
  }
  return tasks;
}

void write_files(const std::string& folder, const Views& views, const PromptSamples& samples,
                 const config::Options& options, PromptWriter& writer) {
  writer.write(folder + "/train.jsonl", training_tasks(views, samples, options));
  writer.write(folder + "/valid.jsonl", tasks_of(samples.valid, {views.test}));
  writer.write(folder + "/test.jsonl", tasks_of(samples.test, {views.test}));
  writer.write(folder + "/zero_shot.jsonl", tasks_of(samples.test, {views.zero_shot}));
}

// evaluate will refuse such prompts; better known before tune than after it.
void warn_of_one_class(const data::SampleTable& table, const std::vector<std::int32_t>& samples) {
  const auto is_positive = [&table](std::int32_t sample) {
    return table.label[static_cast<std::size_t>(sample)] != 0;
  };
  const auto positive = std::count_if(samples.begin(), samples.end(), is_positive);
  if (positive == 0 || positive == static_cast<std::ptrdiff_t>(samples.size())) {
    spdlog::warn(
        "prompt: the labels of all {} test prompts are {}: evaluate needs both; see "
        "data.label_threshold and prompt.test_samples",
        samples.size(), positive == 0 ? 0 : 1);
  }
}

void report_totals(const PromptTotals& totals, const PromptSamples& samples, StageReport& report) {
  const double mean = totals.prompts > 0
                          ? static_cast<double>(totals.tokens) / static_cast<double>(totals.prompts)
                          : 0.0;
  report.add("prompts", totals.prompts);
  report.add("train samples", static_cast<std::int64_t>(samples.train.size()));
  report.add("valid samples", static_cast<std::int64_t>(samples.valid.size()));
  report.add("test samples", static_cast<std::int64_t>(samples.test.size()));
  report.add("mean tokens", mean);
  report.add("longest prompt", totals.longest);
  report.add("shortened prompts", totals.shortened);
  report.add("dropped interactions", totals.dropped);
  spdlog::info(
      "prompt: {} prompts of {:.1f} tokens on average, the longest {}; {} shortened by {} "
      "interactions",
      totals.prompts, mean, totals.longest, totals.shortened, totals.dropped);
}

}  // namespace

bool shows_neighbours(const config::Options& options) { return views_of(options).use_retrieval(); }

void run_prompt(StageContext& context) {
  const config::PromptOptions& options = context.options.prompt;
  const Views views = views_of(context.options);
  const data::Dataset dataset = data::load_dataset(context.run_dir + "/ingest/interactions.h5");
  retrieval::Neighbours neighbours;
  if (views.use_retrieval()) {
    neighbours = retrieval::load_neighbours(context.run_dir + "/retrieve/neighbours.h5", dataset);
  }
  const text::PromptTemplate wording = load_wording(options, dataset);
  const text::Tokenizer tokenizer = text::Tokenizer::load(context.options.model.path);
  const text::ChatTemplate chat(tokenizer, {options.chat_format, options.date_header});
  const PromptSamples samples = prompt_samples(dataset.samples, options);
  PromptBuilder builder(dataset, wording, chat, context.options);
  PromptWriter writer(context.communicator, dataset, wording.system(), builder, &neighbours);
  const std::string folder = context.run_dir + "/prompt";
  io::make_directories(folder);
  write_files(folder, views, samples, context.options, writer);
  report_totals(writer.totals(), samples, context.report);
  if (context.communicator.rank() == 0) {
    warn_of_one_class(dataset.samples, samples.test);
  }
}

}  // namespace rallrec::pipeline
