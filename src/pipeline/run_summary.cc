#include "pipeline/run_summary.h"

#include <spdlog/fmt/fmt.h>

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

}  // namespace

std::string stage_lines(const std::vector<StageOutcome>& outcomes) {
  std::string text =
      fmt::format("{:<12}{:<8}{:>9}{:>7}  {}\n", "stage", "status", "seconds", "ranks", "work");
  double total = 0.0;
  for (const StageOutcome& outcome : outcomes) {
    text +=
        fmt::format("{:<12}{:<8}{:>9.1f}{:>7}  {}\n", outcome.stage, outcome.kept ? "kept" : "done",
                    outcome.seconds, outcome.ranks, work_text(outcome.figures));
    total += outcome.seconds;
  }
  return text + fmt::format("{:<20}{:>9.1f}\n", "total", total);
}

}  // namespace rallrec::pipeline
