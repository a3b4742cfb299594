#include "config/published.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "config/toml_document.h"
#include "core/error.h"

namespace rallrec::config {
namespace {

constexpr std::size_t kMetrics = 3;

PublishedRow read_row(const std::string& path, const toml::node& node, bool squashed) {
  const toml::array* values = node.as_array();
  const bool is_row = values != nullptr && values->size() == kMetrics &&
                      std::all_of(values->begin(), values->end(), [](const toml::node& v) {
                        return v.is_number() && std::isfinite(*v.value<double>());
                      });
  if (!is_row) {
    throw_usage(place_of(path, node.source().begin) +
                ": must be three numbers: AUC, log loss and accuracy");
  }
  const auto number = [values](std::size_t i) { return *values->get(i)->value<double>(); };
  return {number(0), number(1), number(2), squashed};
}

const toml::table& require_table(const std::string& path, const toml::node& node) {
  if (!node.is_table()) {
    throw_usage(place_of(path, node.source().begin) + ": must be a [table.data_set] section");
  }
  return *node.as_table();
}

std::string text_of(const toml::table& document, const std::string& path, const char* key) {
  const auto value = document[key].value<std::string>();
  if (!value) {
    throw_usage(path + ": '" + key + "' must be text in quotes");
  }
  return *value;
}

std::vector<std::string> plain_rows(const toml::table& document, const std::string& path) {
  const toml::node* found = document.get("plain_log_loss");
  std::vector<std::string> names;
  if (found == nullptr) {
    return names;
  }
  if (!found->is_array() || !found->as_array()->is_homogeneous<std::string>()) {
    throw_usage(place_of(path, found->source().begin) +
                ": 'plain_log_loss' must be a list of rows such as [\"dcn\"]");
  }
  for (const toml::node& name : *found->as_array()) {
    names.push_back(name.as_string()->get());
  }
  return names;
}

void require_section(const Published& published, const std::string& path, const Grid& grid,
                     const GridDataset& dataset) {
  const auto table = published.tables.find(grid.table);
  if (table == published.tables.end() || table->second.count(dataset.published) == 0) {
    throw_usage(path + ": has no section [" + grid.table + "." + dataset.published +
                "], which the grid's data set '" + dataset.name + "' is published as");
  }
}

}  // namespace

std::optional<PublishedRow> Published::row(const std::string& table, const std::string& dataset,
                                           const std::string& name) const {
  const auto of_table = tables.find(table);
  if (of_table == tables.end()) {
    return std::nullopt;
  }
  const auto of_dataset = of_table->second.find(dataset);
  if (of_dataset == of_table->second.end()) {
    return std::nullopt;
  }
  const auto found = of_dataset->second.find(name);
  return found == of_dataset->second.end() ? std::nullopt : std::optional(found->second);
}

Published read_published(const std::string& path) {
  const toml::table document = read_toml_document(path);
  Published published;
  published.source = text_of(document, path, "source");
  published.model = text_of(document, path, "model");
  const std::vector<std::string> plain = plain_rows(document, path);
  for (auto&& [table, datasets] : document) {
    if (table == "source" || table == "model" || table == "plain_log_loss") {
      continue;
    }
    for (auto&& [dataset, rows] : require_table(path, datasets)) {
      for (auto&& [name, row] : require_table(path, rows)) {
        const std::string key(name.str());
        const bool squashed = std::find(plain.begin(), plain.end(), key) == plain.end();
        published.tables[std::string(table.str())][std::string(dataset.str())][key] =
            read_row(path, row, squashed);
      }
    }
  }
  return published;
}

Published published_for(const Grid& grid, const std::string& grid_file) {
  if (grid.published.empty()) {
    return {};
  }
  const std::filesystem::path folder = std::filesystem::path(grid_file).parent_path();
  const std::string path = (folder / grid.published).string();
  Published published = read_published(path);
  for (const GridDataset& dataset : grid.datasets) {
    if (!dataset.published.empty()) {
      require_section(published, path, grid, dataset);
    }
  }
  return published;
}

}  // namespace rallrec::config
