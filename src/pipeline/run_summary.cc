#include "pipeline/run_summary.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/files.h"

namespace rallrec::pipeline {
namespace {

std::string figure_text(const io::Figure& figure) {
  if (const auto* count = std::get_if<std::int64_t>(&figure)) {
    return std::to_string(*count);
  }
  if (const auto* real = std::get_if<double>(&figure)) {
    return fmt::format("{:.4g}", *real);
  }
  return std::get<std::string>(figure);
}

std::string work_text(const io::Figures& figures) {
  std::string text;
  for (const auto& [name, figure] : figures) {
    text += (text.empty() ? "" : ", ") + figure_text(figure) + " " + name;
  }
  return text;
}

// "0.6123 [0.5811, 0.6430]", without what is null; a difference has its sign.
std::string metric_text(const nlohmann::json& scores, const char* name, bool difference) {
  const nlohmann::json& value = scores.at(name);
  if (value.is_null()) {
    return "-";
  }
  const auto text = [&](const nlohmann::json& number) {
    return difference ? fmt::format("{:+.4f}", number.get<double>())
                      : fmt::format("{:.4f}", number.get<double>());
  };
  const nlohmann::json& interval = scores.at("intervals").at(name);
  return interval.is_null()
             ? text(value)
             : text(value) + " [" + text(interval.at(0)) + ", " + text(interval.at(1)) + "]";
}

std::string metric_line(const char* name, const nlohmann::json& scores, bool difference = false) {
  return fmt::format("{:<12}{:>9}  {:<28}{:<28}{}\n", name, scores.at("n").get<std::int64_t>(),
                     metric_text(scores, "auc", difference),
                     metric_text(scores, "log_loss", difference),
                     metric_text(scores, "accuracy", difference));
}

}  // namespace

std::string metric_lines(const std::string& run_dir) {
  const std::string path = run_dir + "/evaluate/metrics.json";
  if (!io::file_exists(path)) {
    return "";
  }
  try {
    const nlohmann::json json = nlohmann::json::parse(io::read_file(path));
    std::string text = fmt::format("{:<12}{:>9}  {:<28}{:<28}{}\n", "model", "prompts", "AUC",
                                   "log loss", "accuracy");
    const std::size_t header = text.size();
    for (const auto& [key, name] :
         {std::pair{"baseline", "baseline"}, std::pair{"zero_shot", "zero-shot"},
          std::pair{"tuned", "tuned"}}) {
      text += json.contains(key) ? metric_line(name, json.at(key)) : "";
    }
    if (text.size() == header) {
      throw_bad_data(path, "holds no metrics of stage evaluate; run it again");
    }
    const char* const difference = "tuned_minus_zero_shot";
    return text +
           (json.contains(difference) ? metric_line("difference", json.at(difference), true) : "");
  } catch (const nlohmann::json::exception& error) {
    throw_bad_data(path, std::string("is not what stage evaluate writes: ") + error.what());
  }
}

std::string stage_lines(const std::vector<StageOutcome>& outcomes) {
  std::size_t width = 12;
  for (const StageOutcome& outcome : outcomes) {
    width = std::max(width, outcome.stage.size() + 2);
  }
  std::string text = fmt::format("{:<{}}{:<8}{:>9}{:>7}  {}\n", "stage", width, "status", "seconds",
                                 "ranks", "work");
  double total = 0.0;
  for (const StageOutcome& outcome : outcomes) {
    const char* status = outcome.shared ? "shared" : outcome.kept ? "kept" : "done";
    text += fmt::format("{:<{}}{:<8}{:>9.1f}{:>7}  {}\n", outcome.stage, width, status,
                        outcome.seconds, outcome.ranks, work_text(outcome.figures));
    total += outcome.shared ? 0.0 : outcome.seconds;
  }
  return text + fmt::format("{:<{}}{:>9.1f}\n", "total", width + 8, total);
}

}  // namespace rallrec::pipeline
