#include "pipeline/refcompat_retrieval.h"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace rallrec::pipeline {
namespace {

// The row of the item whose id is that of `item` plus one; the zero row where there is none.
std::int32_t row_of_next_id(const data::IdMap& items, std::int32_t item) {
  const std::string& name = items.name(item);
  std::int64_t id = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), id);
  const bool whole = read.ec == std::errc() && read.ptr == name.data() + name.size();
  const std::int32_t next = whole ? items.find(std::to_string(id + 1)) : -1;
  return next < 0 ? items.size() : next;
}

bool has_stage(const config::Options& options, const char* stage) {
  return std::count(options.stages.begin(), options.stages.end(), stage) > 0;
}

void append(const retrieval::Neighbours& from, std::size_t list, retrieval::Neighbours& to) {
  const auto begin = static_cast<std::ptrdiff_t>(from.offsets[list]);
  const auto end = static_cast<std::ptrdiff_t>(from.offsets[list + 1]);
  to.add(from.samples[list], {from.places.begin() + begin, from.places.begin() + end},
         {from.scores.begin() + begin, from.scores.begin() + end});
}

}  // namespace

std::vector<std::int32_t> candidate_rows(const data::IdMap& items,
                                         const config::RefcompatOptions& options) {
  if (!options.ml1m_index_shift && !options.drop_last_item) {
    return {};
  }
  std::vector<std::int32_t> rows(static_cast<std::size_t>(items.size()));
  std::iota(rows.begin(), rows.end(), 0);
  if (options.ml1m_index_shift) {
    for (std::int32_t& row : rows) {
      row = row_of_next_id(items, row);
    }
  }
  if (options.drop_last_item) {
    rows.back() = -1;
  }
  return rows;
}

bool trains_on_text(const config::Options& options) {
  return options.refcompat.text_adapter && has_stage(options, "tune") &&
         has_stage(options, "describe");
}

retrieval::Neighbours joined(const retrieval::Neighbours& a, const retrieval::Neighbours& b) {
  retrieval::Neighbours all;
  for (std::size_t i = 0, j = 0; i < a.samples.size() || j < b.samples.size();) {
    const bool first =
        j == b.samples.size() || (i < a.samples.size() && a.samples[i] < b.samples[j]);
    append(first ? a : b, first ? i++ : j++, all);
  }
  return all;
}

retrieval::Neighbours no_neighbours(const std::vector<std::int32_t>& samples) {
  retrieval::Neighbours none;
  for (const std::int32_t sample : samples) {
    none.add(sample, {}, {});
  }
  return none;
}

}  // namespace rallrec::pipeline
