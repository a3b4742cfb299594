#include "pipeline/doctor/finding.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace rallrec::pipeline {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Finding& finding) {
  return {{"severity", name_of(finding.severity)},
          {"topic", finding.topic},
          {"text", finding.text},
          {"advice", finding.advice}};
}

bool equal(const Finding& a, const Finding& b) {
  return a.severity == b.severity && a.topic == b.topic && a.text == b.text;
}

std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string ranks_text(const std::vector<int>& ranks) {
  std::string text = ranks.size() == 1 ? " [rank" : " [ranks";
  for (const int rank : ranks) {
    text.append(rank == ranks.front() ? " " : ", ").append(std::to_string(rank));
  }
  return text + "]";
}

}  // namespace

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::kOk:
      return "ok";
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kBroken:
      return "broken";
  }
  return "unknown";
}

std::string to_text(const Findings& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({static_cast<int>(finding.severity), finding.topic, finding.text, finding.advice,
                    static_cast<int>(finding.code), finding.of_job});
  }
  return dump(list, -1);
}

Findings findings_in(const std::string& text) {
  Findings findings;
  for (const Json& one : Json::parse(text)) {
    findings.push_back({static_cast<Severity>(one[0].get<int>()), one[1], one[2], one[3],
                        static_cast<ExitCode>(one[4].get<int>()), one[5].get<bool>()});
  }
  return findings;
}

std::vector<SharedFinding> join_findings(const std::vector<Findings>& of_ranks) {
  std::vector<SharedFinding> joined;
  for (std::size_t rank = 0; rank < of_ranks.size(); ++rank) {
    for (const Finding& finding : of_ranks[rank]) {
      auto same = std::find_if(joined.begin(), joined.end(), [&](const SharedFinding& one) {
        return equal(one.finding, finding);
      });
      if (same == joined.end()) {
        // Beside those of the same topic.
        same = std::find_if(joined.rbegin(), joined.rend(), [&](const SharedFinding& one) {
                 return one.finding.topic == finding.topic;
               }).base();
        same = same == joined.begin() ? joined.end() : same;
        same = joined.insert(same, {finding, {}});
      }
      same->ranks.push_back(static_cast<int>(rank));
    }
  }
  return joined;
}

std::string finding_lines(const std::vector<SharedFinding>& findings, int ranks) {
  std::string text;
  for (const auto& [finding, of] : findings) {
    const bool everywhere = finding.of_job || static_cast<int>(of.size()) == ranks;
    text += fmt::format("{:<8} {:<12} {}{}\n", name_of(finding.severity), finding.topic,
                        finding.text, everywhere ? "" : ranks_text(of));
    if (!finding.advice.empty()) {
      text += fmt::format("{:<8} {:<12} -> {}\n", "", "", finding.advice);
    }
  }
  return text;
}

std::string finding_json(const std::vector<SharedFinding>& findings, int ranks) {
  Json list = Json::array();
  for (const auto& [finding, of] : findings) {
    Json one = json_of(finding);
    one["ranks"] = of;
    list.push_back(one);
  }
  return dump({{"ranks", ranks}, {"findings", list}}, 2) + "\n";
}

}  // namespace rallrec::pipeline
