#include "pipeline/recommend.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "data/dataset_file.h"
#include "data/history.h"
#include "io/artifact_store.h"
#include "io/files.h"
#include "io/jsonl.h"
#include "pipeline/history_choice.h"
#include "pipeline/infer.h"
#include "pipeline/pair_samples.h"
#include "pipeline/pair_scorer.h"
#include "pipeline/recommend_candidates.h"
#include "pipeline/recommend_text.h"
#include "pipeline/stage_state.h"

namespace rallrec::pipeline {
namespace {

constexpr const char* kDataFile = "ingest/interactions.h5";

void require_files(const std::string& run_dir, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (io::files_below(run_dir, file).empty()) {
      throw_not_written(run_dir, file, "recommend");
    }
  }
}

data::Dataset load_run(const StageContext& context) {
  const std::string& run_dir = context.run_dir;
  if (!io::file_exists(run_dir + "/config.resolved.toml")) {
    throw_missing(run_dir, "is not the folder of a run; `rallrec run --config FILE` makes one");
  }
  require_files(run_dir, {kDataFile});
  const std::vector<std::string> files = scoring_files(context.options);
  require_files(run_dir, files);
  require_consistent(run_dir, files, "recommend");
  return data::load_dataset(run_dir + "/" + kDataFile);
}

// What the user is to be offered: the candidates, or the best of them where they are many.
std::vector<std::int32_t> chosen_items(const RecommendRequest& request,
                                       const data::Dataset& dataset, std::int32_t user,
                                       const StageContext& context) {
  ShortlistTask task;
  task.user = user;
  task.candidates = request.candidates.empty()
                        ? unrated_items(dataset, user)
                        : read_candidates(request.candidates, dataset, context);
  task.count = request.shortlist;
  task.by = shortlist_by_from(request.shortlist_by);
  const auto count = static_cast<std::int64_t>(task.candidates.size());
  if (count == 0) {
    throw_usage("--user " + request.user + ": this user has rated every item of the catalogue");
  }
  if (count <= request.shortlist) {
    return task.candidates;
  }
  require_files(context.run_dir, shortlist_files(task.by, context.options));
  spdlog::info("{} candidates, of which the best {} by {} are scored", count, request.shortlist,
               request.shortlist_by);
  return shortlist(task, dataset, context);
}

// The samples with the highest scores, best first; equal ones in their order.
std::vector<std::int32_t> best_of(const std::vector<train::Score>& scores, std::int64_t top) {
  std::vector<std::int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const auto margin = [&scores](std::int32_t sample) {
    const train::Score& score = scores[static_cast<std::size_t>(sample)];
    return score.logit_yes - score.logit_no;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&margin](std::int32_t a, std::int32_t b) { return margin(a) > margin(b); });
  order.resize(std::min(order.size(), static_cast<std::size_t>(top)));
  return order;
}

void write_best(const RecommendRequest& request, const data::Dataset& dataset,
                const ScoredSamples& scored, const std::vector<std::int32_t>& best) {
  std::string table = "rank   score  item  title\n";
  std::int64_t rank = 0;
  std::unique_ptr<io::JsonlWriter> writer;
  if (!request.output.empty()) {
    writer = std::make_unique<io::JsonlWriter>(request.output);
  }
  for (const std::int32_t sample : best) {
    ++rank;
    if (writer) {
      writer->write(recommendation_json(dataset, scored, sample, rank));
    } else {
      table += recommendation_text(dataset, scored, sample, rank, request.reasons);
    }
  }
  if (writer) {
    writer->commit();
    spdlog::info("{} recommendations for user {}: {}", rank, request.user, request.output);
  } else {
    std::fputs(table.c_str(), stdout);
  }
}

std::vector<Pair> pairs_of(std::int32_t user, const std::vector<std::int32_t>& items) {
  std::vector<Pair> pairs;
  pairs.reserve(items.size());
  for (const std::int32_t item : items) {
    pairs.push_back({user, item});
  }
  return pairs;
}

void write_pairs(io::JsonlFile& file, const std::string& output,
                 const std::vector<train::Score>& scores) {
  io::JsonlWriter writer(output.empty() ? "/dev/stdout" : output);
  for (std::int64_t i = 0; i < file.size(); ++i) {
    const io::JsonRecord record = file.read(i);
    io::JsonObjectWriter line;
    line.add_members(record.members(), {"score", "logit_yes", "logit_no"});
    add_score(scores[static_cast<std::size_t>(i)], false, line);
    writer.write(line);
  }
  writer.commit();
}

void warn_of_rated(const data::Dataset& dataset, const std::vector<Pair>& pairs,
                   const std::string& file) {
  const auto rated = std::count_if(pairs.begin(), pairs.end(), [&dataset](const Pair& pair) {
    const data::History history = full_history(dataset, pair.user);
    return newest_places(history, pair.item).size() < history.size();
  });
  if (rated > 0) {
    spdlog::warn(
        "{}: {} of {} pairs are rated already; their prompts leave that rating out but show what "
        "came after it, so that these scores are no test of the model: the run's own stages "
        "prompt, infer and evaluate are",
        file, rated, pairs.size());
  }
}

}  // namespace

void recommend(const RecommendRequest& request, const StageContext& context) {
  data::Dataset dataset = load_run(context);
  const std::int32_t user = find_user(dataset, request.user, "--user");
  const std::vector<std::int32_t> items = chosen_items(request, dataset, user, context);
  dataset = with_pair_samples(std::move(dataset), pairs_of(user, items));
  const ScoredSamples scored = score_samples(dataset, context);
  if (context.communicator.rank() == 0) {
    write_best(request, dataset, scored, best_of(scored.scores, request.top));
  }
  context.communicator.barrier();
}

void score_pairs(const std::string& pairs, const std::string& output, const StageContext& context) {
  data::Dataset dataset = load_run(context);
  std::vector<Pair> asked;
  io::JsonlFile file(
      pairs,
      io::with_bad_rows(pairs, context.options.data.max_bad_rows, context.communicator.rank() == 0),
      [&](const io::JsonRecord& record) {
        asked.push_back({user_of(record, dataset), item_of(record, dataset)});
      });
  if (asked.empty()) {
    throw_bad_data(pairs, "holds no pair; expected lines {\"user\": …, \"item\": …}");
  }
  if (context.communicator.rank() == 0) {
    warn_of_rated(dataset, asked, pairs);
  }
  dataset = with_pair_samples(std::move(dataset), asked);
  const ScoredSamples scored = score_samples(dataset, context);
  if (context.communicator.rank() == 0) {
    write_pairs(file, output, scored.scores);
  }
  context.communicator.barrier();
}

}  // namespace rallrec::pipeline
