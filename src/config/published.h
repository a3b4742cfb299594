#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/grid.h"

namespace rallrec::config {

struct PublishedRow {
  double auc = 0.0;
  double log_loss = 0.0;
  double accuracy = 0.0;
  // Of the authors' double softmax, to be compared with log_loss_squashed.
  bool squashed = true;
};

// Numbers that others have published, by table, data set and row. docs/formats.md shows the file.
struct Published {
  std::string source;
  std::string model;
  std::map<std::string, std::map<std::string, std::map<std::string, PublishedRow>>> tables;

  // Nothing where it has no such row. Row "p_value" holds p-values.
  std::optional<PublishedRow> row(const std::string& table, const std::string& dataset,
                                  const std::string& name) const;
};

// Throws with exit code 64 where the file is not one, 66 where there is none.
Published read_published(const std::string& path);

// What the grid of a file names as published, from beside that file; empty where it names nothing.
// Throws usage where a data set's name is not among those of the grid's table.
Published published_for(const Grid& grid, const std::string& grid_file);

}  // namespace rallrec::config
