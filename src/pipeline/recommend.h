#pragma once

#include <cstdint>
#include <string>

#include "pipeline/stage.h"

namespace rallrec::pipeline {

struct RecommendRequest {
  std::string user;        // original id
  std::string candidates;  // JSON Lines {"item"}; empty = what the user has not rated
  std::string output;      // JSON Lines; empty = a table on stdout
  std::int64_t top = 10;
  // More candidates than this are cut down before they are scored.
  std::int64_t shortlist = 100;
  std::string shortlist_by = "vectors";
  // Lines of history shown below each item of the table.
  std::int64_t reasons = 3;
};

// Scores candidates for one user with the finished run of `context` and gives the best, each with
// the history that was retrieved for it. Rank 0 writes. Collective.
void recommend(const RecommendRequest& request, const StageContext& context);

// Scores pairs, lines {"user", "item"}, rated or not, with a finished run: the lines in order with
// their keys, plus score, logit_yes and logit_no, in `output` or on stdout. Collective.
void score_pairs(const std::string& pairs, const std::string& output, const StageContext& context);

}  // namespace rallrec::pipeline
