#include "pipeline/bench/line.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/parallel_for.h"
#include "core/stopwatch.h"
#include "kernels/cpu_level.h"
#include "kernels/int8_level.h"
#include "models/llm/quant_mode.h"
#include "pipeline/build_info.h"

namespace rallrec::pipeline {
namespace {

// What Linux calls the processor; "" where it does not tell.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t colon = line.find(": ");
    if (line.compare(0, 10, "model name") == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "";
}

const char* level_name() {
  switch (kernels::cpu_level()) {
    case kernels::CpuLevel::kAvx512:
      return "avx512";
    case kernels::CpuLevel::kAvx2:
      return "avx2";
    case kernels::CpuLevel::kBaseline:
      break;
  }
  return "baseline";
}

using Json = nlohmann::ordered_json;

std::vector<std::string> settings_of(const Bench& bench) {
  if (bench.name == "tokenize" || bench.name == "matmul") {
    return {"model", "repeats"};
  }
  if (bench.name == "load") {
    return {"model", "quant", "prompts", "token_budget"};
  }
  return bench.needs_model
             ? std::vector<std::string>{"model", "quant", "prompts", "repeats", "token_budget"}
             : std::vector<std::string>{"repeats"};
}

// What of the request a bench goes by.
Json config_of(const std::string& name, const BenchRun& run) {
  const auto& table = bench_table();
  const auto bench = std::find_if(table.begin(), table.end(),
                                  [&](const Bench& candidate) { return candidate.name == name; });
  const Json all = {{"model", run.request.model},
                    {"quant", models::llm::resolved_quant(run.options.model.quant,
                                                          config::device_of(run.options.cluster))},
                    {"prompts", run.request.count},
                    {"repeats", run.request.repeats},
                    {"token_budget", run.options.tune.token_budget}};
  Json config = Json::object();
  for (const std::string& setting : settings_of(*bench)) {
    if (all.at(setting) != "") {
      config[setting] = all.at(setting);
    }
  }
  config["threads"] = thread_count();
  config["ranks"] = run.communicator.size();
  return config;
}

}  // namespace

Seconds seconds_of(std::vector<double> runs) {
  std::sort(runs.begin(), runs.end());
  const std::size_t half = runs.size() / 2;
  const double median = runs.size() % 2 == 1 ? runs[half] : 0.5 * (runs[half - 1] + runs[half]);
  return {median, runs.front(), runs.back()};
}

std::vector<Seconds> time_arms(const std::vector<std::function<void()>>& arms, int repeats,
                               distributed::Communicator& communicator) {
  std::vector<std::vector<double>> all(arms.size());
  for (int repeat = 0; repeat <= repeats; ++repeat) {
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
      communicator.barrier();
      const Stopwatch watch;
      arms[arm]();
      communicator.barrier();
      if (repeat > 0) {
        all[arm].push_back(watch.seconds());
      }
    }
  }
  std::vector<Seconds> seconds;
  for (std::vector<double>& one : all) {
    seconds.push_back(seconds_of(std::move(one)));
  }
  return seconds;
}

void print_line(const BenchLine& line, const BenchRun& run) {
  if (run.communicator.rank() != 0) {
    return;
  }
  const auto unless_none = [](auto value) { return value == 0 ? Json() : Json(value); };
  Json json = {{"bench", line.bench},
               {"arm", line.arm},
               {"seconds", line.seconds.median},
               {"spread", {line.seconds.least, line.seconds.most}},
               {"peak_bytes", unless_none(line.peak_bytes)},
               {"work", line.work},
               {"rate", unless_none(line.rate)},
               {"verified", line.verified},
               {"ratio", unless_none(line.ratio)}};
  for (const auto& [key, value] : line.more) {
    json[key] = value;
  }
  json["config"] = config_of(line.bench, run);
  json["hardware"] = {{"cpu", processor()},
                      {"level", level_name()},
                      {"int8_level", kernels::int8_level_name(kernels::int8_level())}};
  json["versions"] = {{"torch", build_info().torch}, {"compiler", build_info().compiler}};
  json["commit"] = build_info().commit;
  std::printf("%s\n", json.dump().c_str());
  std::fflush(stdout);
}

void print_pair(const BenchLine& common, const std::vector<std::string>& arms,
                const std::vector<Seconds>& seconds, const BenchRun& run) {
  for (std::size_t i = 0; i < arms.size(); ++i) {
    BenchLine line = common;
    line.arm = arms[i];
    line.seconds = seconds[i];
    line.rate = line.work / seconds[i].median;
    line.ratio = seconds[1].median / seconds[i].median;
    print_line(line, run);
  }
}

void require_agreement(const std::string& what, double difference, double tolerance) {
  if (!(difference <= tolerance)) {
    throw Error(ExitCode::kNonFinite, "bench: " + what + " differ by " +
                                          std::to_string(difference) + ", accepted is " +
                                          std::to_string(tolerance) + "; no time is printed");
  }
}

}  // namespace rallrec::pipeline
