// Settings and sweeps of a grid file. For its reader.
#pragma once

#include <vector>

#include "config/grid.h"
#include "config/grid_section.h"

namespace rallrec::config {

// The values of table `set`, with their places: {"section.key" = value} and {section = {key =
// value}} alike. Throws Error (usage) where a key is not one of a run's config, or takes another
// type.
std::vector<FlagSetting> read_grid_settings(const GridSection& section);

// Those of table `sweep`, whose values are lists.
std::vector<GridSweep> read_grid_sweeps(const GridSection& section);

}  // namespace rallrec::config
