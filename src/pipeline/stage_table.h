#pragma once

#include <string>
#include <vector>

#include "pipeline/stage.h"

namespace rallrec::pipeline {

// All stages in the order in which a run goes through them by default.
const std::vector<Stage>& stage_table();

// The same, with the stage of baseline.model before evaluate.
std::vector<Stage> run_table(const config::Options& options);

// The stage of that name or, for "baseline", the first in that folder. Throws Error (usage) with
// the nearest name where there is none.
const Stage& find_stage(const std::vector<Stage>& table, const std::string& name);

// The stages of `table` that `names` lists, in the table's order and as the options ask for them
// (Stage::fit); all where it is empty. "baseline" names any of the baselines. Throws as find_stage
// does.
std::vector<Stage> select_stages(const std::vector<Stage>& table,
                                 const std::vector<std::string>& names,
                                 const config::Options& options);

}  // namespace rallrec::pipeline
