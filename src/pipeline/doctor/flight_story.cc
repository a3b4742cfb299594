#include "pipeline/doctor/flight_story.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>

namespace rallrec::pipeline {
namespace {

std::string name_of(const FlightFile& file) {
  return fmt::format("rank {} on {}", file.rank, file.host);
}

bool waits(const FlightFile& file) {
  return !file.lines.empty() && file.lines.back().kind == "wait";
}

std::string call_of(const FlightLine& line) {
  return fmt::format("{} (collective {})", line.collective, line.sequence);
}

std::string rank_line(const FlightFile& file) {
  if (file.lines.empty()) {
    return name_of(file) + ": no event\n";
  }
  const FlightLine& last = file.lines.back();
  std::string text = fmt::format("{}: {}, ", name_of(file), last.place);
  if (waits(file)) {
    text += fmt::format("has waited {:.1f} s in {}", last.age, call_of(last));
  } else if (last.sequence == 0) {
    text += fmt::format("nothing new for {:.1f} s, before the first collective", last.age);
  } else {
    text += fmt::format("nothing new for {:.1f} s, last came {} {}", last.age,
                        last.kind == "done" ? "the end of" : "the call of", call_of(last));
  }
  return text + fmt::format("; {} collectives called\n", file.calls);
}

std::string list_of(const std::vector<int>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    text.append(i == 0 ? "" : ", ").append(std::to_string(ranks[i]));
  }
  return text;
}

std::vector<int> waiting_ranks(const std::vector<FlightFile>& files) {
  std::vector<int> ranks;
  for (const FlightFile& file : files) {
    if (waits(file)) {
      ranks.push_back(file.rank);
    }
  }
  return ranks;
}

std::vector<int> ranks_without_record(const std::vector<FlightFile>& files) {
  std::vector<int> ranks;
  for (int rank = 0; rank < files.front().ranks; ++rank) {
    if (std::none_of(files.begin(), files.end(),
                     [&](const FlightFile& file) { return file.rank == rank; })) {
      ranks.push_back(rank);
    }
  }
  return ranks;
}

// The first collective that two ranks called differently, as far as the records reach back.
std::string difference(const std::vector<FlightFile>& files) {
  struct Call {
    int rank;
    std::string text;
    std::string place;
  };
  std::map<std::int64_t, Call> calls;
  for (const FlightFile& file : files) {
    for (const FlightLine& line : file.lines) {
      if (line.kind != "call") {
        continue;
      }
      const std::string kind = line.collective.substr(0, line.collective.find(' '));
      const auto [known, fresh] =
          calls.try_emplace(line.sequence, Call{file.rank, kind, line.place});
      if (!fresh && known->second.text != kind) {
        return fmt::format(
            "The ranks' collectives do not match: as collective {} rank {} called {} ({}), rank {} "
            "{} ({}).\n",
            line.sequence, known->second.rank, known->second.text, known->second.place, file.rank,
            kind, line.place);
      }
    }
  }
  return "";
}

std::string conclusion(const std::vector<FlightFile>& files) {
  const std::vector<int> waiting = waiting_ranks(files);
  const std::string who = waiting.empty() ? "" : list_of(waiting) + " waited for ";
  const std::vector<int> absent = ranks_without_record(files);
  if (!absent.empty()) {
    return who + list_of(absent) +
           (who.empty() ? " left no record" : ", of which there is no record") +
           ": stopped, dead or cut off when the others wrote theirs.\n";
  }
  std::int64_t most = 0;
  for (const FlightFile& file : files) {
    most = std::max(most, file.calls);
  }
  std::vector<int> late;
  std::string place;
  for (const FlightFile& file : files) {
    if (file.calls < most) {
      late.push_back(file.rank);
      place += place.empty() && !file.lines.empty() ? file.lines.back().place : "";
    }
  }
  if (!late.empty()) {
    return fmt::format("{}{}, which had not come to collective {}: {}.\n", who, list_of(late), most,
                       place);
  }
  if (waiting.size() == files.size()) {
    return "All ranks waited in the same collective: the network, MPI or NCCL stood still.\n";
  }
  return "All ranks had called the same collectives; who did not wait was busy with its own "
         "work.\n";
}

}  // namespace

std::string flight_story(const std::vector<FlightFile>& files) {
  std::string text = files.front().verdict.empty() ? "" : files.front().verdict + "\n";
  for (const FlightFile& file : files) {
    text += rank_line(file);
  }
  const std::string differs = difference(files);
  return text + (differs.empty() ? conclusion(files) : differs);
}

}  // namespace rallrec::pipeline
