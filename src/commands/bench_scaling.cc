#include "commands/bench_scaling.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "commands/child_program.h"
#include "commands/common_options.h"
#include "commands/python_tool.h"
#include "core/error.h"
#include "core/parallel_for.h"
#include "io/atomic_file.h"
#include "io/files.h"

namespace rallrec::commands {
namespace {

using nlohmann::ordered_json;

std::vector<std::string> launcher_words(const std::string& launcher, int ranks) {
  std::vector<std::string> words;
  std::istringstream stream(launcher);
  for (std::string word; stream >> word;) {
    const std::size_t place = word.find("{ranks}");
    if (place != std::string::npos) {
      word.replace(place, 7, std::to_string(ranks));
    }
    words.push_back(word);
  }
  return words;
}

// Every point has the same number of threads per rank: those that were asked for, else what the
// most ranks can have each.
int threads_of(const ScalingRequest& request, const config::Options& options) {
  const bool told = options.cluster.threads > 0 || std::getenv("OMP_NUM_THREADS") != nullptr;
  const int most = *std::max_element(request.ranks.begin(), request.ranks.end());
  return told ? thread_count() : std::max(1, thread_count() / most);
}

std::vector<std::string> child_words(const ScalingRequest& request, const CommandContext& context,
                                     int ranks, int threads) {
  const std::int64_t scale = request.mode == "weak" ? ranks : 1;
  const pipeline::BenchRequest& bench = request.bench;
  std::vector<std::string> words = launcher_words(request.launcher, ranks);
  const auto add = [&words](const std::string& flag, const std::string& value) {
    if (!value.empty()) {
      words.insert(words.end(), {flag, value});
    }
  };
  words.insert(words.end(),
               {std::filesystem::read_symlink("/proc/self/exe").string(), "bench", "stage"});
  add("--stage", bench.stage);
  add("--model", bench.model.empty() ? context.options.model.path : bench.model);
  add("--input", bench.input);
  add("--count", std::to_string(bench.count * scale));
  add("--edges", std::to_string(bench.edges * scale));
  add("--repeats", std::to_string(bench.repeats));
  add("--config", context.config_file);
  const std::vector<std::string> settings = words_of(context.sources, "cluster.threads");
  words.insert(words.end(), settings.begin(), settings.end());
  add("--threads", std::to_string(threads));
  return words;
}

// The line of JSON among what the ranks and their launcher print.
ordered_json measure(const std::vector<std::string>& words) {
  const auto outcome = run_child(words);
  if (!outcome) {
    throw_missing(words.front(), "no such launcher; --launcher names another");
  }
  std::istringstream lines(outcome->output);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("{\"bench\"", 0) == 0 && outcome->status == 0) {
      return ordered_json::parse(line);
    }
  }
  std::fputs(outcome->output.c_str(), stderr);
  throw Error(static_cast<ExitCode>(outcome->status == 0 ? 70 : outcome->status),
              "bench scaling: a point ended with " + std::to_string(outcome->status) +
                  "; what it said stands above");
}

double rate_per_rank(const ordered_json& point) {
  return point["rate"].get<double>() / point["config"]["ranks"].get<double>();
}

// The same work has the same result, whatever the number of ranks.
void check_results(const ScalingRequest& request, const std::vector<ordered_json>& points) {
  for (const ordered_json& point : points) {
    if (request.mode == "strong" && point["result"] != points.front()["result"]) {
      throw Error(
          ExitCode::kNonFinite,
          fmt::format("bench scaling: {} ranks gave {}, {} gave {}; no rate is printed",
                      point["config"]["ranks"].dump(), point["result"].dump(),
                      points.front()["config"]["ranks"].dump(), points.front()["result"].dump()));
    }
  }
}

const std::vector<std::string>& columns() {
  static const std::vector<std::string> names = {"stage",
                                                 "mode",
                                                 "ranks",
                                                 "threads",
                                                 "nodes",
                                                 "cores_per_node",
                                                 "oversubscribed",
                                                 "seconds",
                                                 "work",
                                                 "rate",
                                                 "efficiency",
                                                 "sent_bytes",
                                                 "gathered_bytes",
                                                 "gather_seconds",
                                                 "waited_seconds",
                                                 "overlap",
                                                 "seconds_without_overlap"};
  return names;
}

std::string table_text(const std::vector<ordered_json>& points) {
  std::string text;
  for (const std::string& name : columns()) {
    text.append(text.empty() ? "" : ",").append(name);
  }
  for (const ordered_json& point : points) {
    text += "\n";
    for (std::size_t i = 0; i < columns().size(); ++i) {
      const auto value = point.find(columns()[i]);
      text += i == 0 ? "" : ",";
      if (value != point.end()) {
        text += value->is_string() ? value->get<std::string>() : value->dump();
      }
    }
  }
  return text + "\n";
}

// As mlperf_logging writes them: a prefix and an object of fixed keys.
void print_mllog(const char* type, const char* key, const ordered_json& value,
                 const ordered_json& metadata) {
  using std::chrono::system_clock;
  const auto now = system_clock::now().time_since_epoch();
  const ordered_json line = {
      {"namespace", ""},
      {"time_ms", std::chrono::duration_cast<std::chrono::milliseconds>(now).count()},
      {"event_type", type},
      {"key", key},
      {"value", value},
      {"metadata", metadata}};
  std::printf(":::MLLOG %s\n", line.dump().c_str());
}

// One point, with what the driver knows beside what the ranks measured.
ordered_json run_point(const ScalingRequest& request, const CommandContext& context, int ranks) {
  const int threads = threads_of(request, context.options);
  const ordered_json metadata = {
      {"ranks", ranks}, {"stage", request.bench.stage}, {"mode", request.mode}};
  if (request.mllog) {
    print_mllog("INTERVAL_START", "run_start", nullptr, metadata);
  }
  spdlog::info("bench scaling: {} on {} ranks of {} threads", request.bench.stage, ranks, threads);
  ordered_json point = measure(child_words(request, context, ranks, threads));
  if (point["config"]["ranks"] != ranks) {
    throw_usage("bench scaling: the launcher was asked for " + std::to_string(ranks) +
                " ranks and MPI saw " + point["config"]["ranks"].dump() +
                "; --launcher LINE with {ranks} in it");
  }
  point["stage"] = request.bench.stage;
  point["mode"] = request.mode;
  point["ranks"] = ranks;
  point["threads"] = threads;
  if (request.mllog) {
    ordered_json more = metadata;
    more["status"] = "success";
    print_mllog("INTERVAL_END", "run_stop", nullptr, more);
    print_mllog("POINT_IN_TIME", "tracked_stats", {{"throughput", point["rate"]}}, metadata);
  }
  return point;
}

void warn_of_shared_cores(const std::vector<ordered_json>& points) {
  for (const ordered_json& point : points) {
    if (point["oversubscribed"] != 0.0) {
      spdlog::warn("{} ranks x {} threads share {} cores: their rate says nothing about scaling",
                   point["ranks"].dump(), point["threads"].dump(), point["cores_per_node"].dump());
    }
  }
}

void write_files(const std::string& folder, const std::vector<ordered_json>& points) {
  io::make_directories(folder);
  io::write_file_atomically(folder + "/scaling.csv", table_text(points));
  io::write_file_atomically(folder + "/scaling.json", ordered_json(points).dump(2) + "\n");
  try {
    run_python_tool("plot_scaling.py", {folder + "/scaling.json", folder + "/scaling.png"});
  } catch (const Error& error) {
    spdlog::warn("no plot was drawn: {}", error.what());
  }
}

}  // namespace

int run_scaling(const ScalingRequest& request, const CommandContext& context) {
  if (context.communicator.size() > 1) {
    throw_usage("bench scaling starts its ranks itself; run it without mpirun or srun");
  }
  if (std::any_of(request.ranks.begin(), request.ranks.end(), [](int n) { return n < 1; })) {
    throw_usage("bench scaling: --ranks must be numbers from 1");
  }
  std::vector<ordered_json> points;
  for (const int ranks : request.ranks) {
    points.push_back(run_point(request, context, ranks));
  }
  check_results(request, points);
  for (ordered_json& point : points) {
    point["efficiency"] = rate_per_rank(point) / rate_per_rank(points.front());
  }
  std::fputs(table_text(points).c_str(), stdout);
  if (!request.output.empty()) {
    write_files(request.output, points);
  }
  warn_of_shared_cores(points);
  return 0;
}

}  // namespace rallrec::commands
