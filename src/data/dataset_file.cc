#include "data/dataset_file.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "core/error.h"
#include "data/field_file.h"
#include "io/hdf5_file.h"

namespace rallrec::data {
namespace {

constexpr const char* kFormat = "rallrec data set";
constexpr std::int64_t kVersion = 2;
// Of sources with times between whole numbers alone.
constexpr const char* kFraction = "interactions.timestamp_fraction";

void write_ids(io::Hdf5Writer& file, const std::string& array, const IdMap& ids) {
  std::vector<std::string> names;
  for (std::int32_t id = 0; id < ids.size(); ++id) names.push_back(ids.name(id));
  file.add_strings(array, names);
}

IdMap read_ids(const io::Hdf5File& file, const std::string& array) {
  const std::vector<std::string> names = file.read_strings(array);
  if (names.size() >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw_bad_array(file, array, "more ids than a 32-bit number can count");
  }
  IdMap ids;
  for (const std::string& name : names) ids.add(name);
  if (static_cast<std::size_t>(ids.size()) != names.size()) {
    throw_bad_array(file, array, "an id occurs more than once");
  }
  return ids;
}

void check_column(const io::Hdf5File& file, const std::string& array,
                  const std::vector<std::int32_t>& column, std::int64_t bound) {
  const bool fits = std::all_of(column.begin(), column.end(),
                                [&](std::int32_t id) { return id >= 0 && id < bound; });
  if (!fits) throw_bad_array(file, array, "a number outside [0, " + std::to_string(bound) + ")");
}

void check_time_order(const io::Hdf5File& file, const InteractionTable& table) {
  if (!table.has_timestamps()) {
    throw_bad_array(file, "interactions.timestamp", "no timestamps in a table ordered by time");
  }
  const auto key = [&](std::size_t row) {
    return std::make_tuple(table.timestamp[row], table.fraction(row), table.user[row],
                           table.item[row]);
  };
  for (std::size_t row = 1; row < table.size(); ++row) {
    if (key(row) < key(row - 1)) {
      throw_bad_array(file, "interactions.timestamp",
                      "row " + std::to_string(row) + " is older than the row before it");
    }
  }
}

std::vector<double> read_fractions(const io::Hdf5File& file, std::size_t rows) {
  std::vector<double> fractions = file.read<double>(kFraction);
  const bool fit = std::all_of(fractions.begin(), fractions.end(),
                               [](double part) { return part >= 0.0 && part < 1.0; });
  if (fractions.size() != rows || !fit) {
    throw_bad_array(file, kFraction, "expected a number from 0 to below 1 per timestamp");
  }
  return fractions;
}

InteractionTable read_interactions(const io::Hdf5File& file, const Dataset& dataset) {
  InteractionTable table;
  table.user = file.read<std::int32_t>("interactions.user");
  table.item = file.read<std::int32_t>("interactions.item");
  table.rating = file.read<float>("interactions.rating");
  table.timestamp = file.read<std::int64_t>("interactions.timestamp");
  if (file.has(kFraction)) table.timestamp_fraction = read_fractions(file, table.timestamp.size());
  const bool timed_or_not = table.has_timestamps() || table.timestamp.empty();
  if (table.item.size() != table.size() || !table.has_ratings() || !timed_or_not ||
      table.size() >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw_bad_array(file, "interactions.user", "the columns of the interactions differ in length");
  }
  check_column(file, "interactions.user", table.user, dataset.users.size());
  check_column(file, "interactions.item", table.item, dataset.items.size());
  if (!std::all_of(table.rating.begin(), table.rating.end(),
                   [](float rating) { return std::isfinite(rating); })) {
    throw_bad_array(file, "interactions.rating", "a rating that is not finite");
  }
  if (dataset.time_ordered) check_time_order(file, table);
  return table;
}

// A sample's position must be the number of its user's earlier interactions: histories are cut
// there.
void check_positions(const io::Hdf5File& file, const Dataset& dataset) {
  const SampleTable& samples = dataset.samples;
  for (std::int32_t sample = 0; sample < samples.size(); ++sample) {
    const auto timeline = dataset.timelines.of(dataset.sample_user(sample));
    const std::int32_t position = samples.position[sample];
    const bool inside = position >= 0 && static_cast<std::size_t>(position) < timeline.size();
    if (!inside || timeline[position] != samples.row[sample]) {
      throw_bad_array(file, "samples.position",
                      "sample " + std::to_string(sample) + " is not at its place in the history");
    }
  }
}

std::int32_t read_border(const io::Hdf5File& file, const char* key, std::int32_t low,
                         std::int32_t high) {
  const std::int64_t border = file.int_attribute(key);
  if (border < low || border > high) {
    throw_bad_data(file.path(), std::string("attribute ") + key + ": expected a number from " +
                                    std::to_string(low) + " to " + std::to_string(high) +
                                    "; run the stage ingest again");
  }
  return static_cast<std::int32_t>(border);
}

SampleTable read_samples(const io::Hdf5File& file, const InteractionTable& table) {
  SampleTable samples;
  samples.row = file.read<std::int32_t>("samples.row");
  samples.position = file.read<std::int32_t>("samples.position");
  samples.label = file.read<std::uint8_t>("samples.label");
  const std::size_t count = samples.row.size();
  if (samples.position.size() != count || samples.label.size() != count || count > table.size()) {
    throw_bad_array(file, "samples.row", "the columns of the samples differ in length");
  }
  check_column(file, "samples.row", samples.row, static_cast<std::int64_t>(table.size()));
  const auto not_later = [](std::int32_t left, std::int32_t right) { return left >= right; };
  if (std::adjacent_find(samples.row.begin(), samples.row.end(), not_later) != samples.row.end()) {
    throw_bad_array(file, "samples.row", "the samples are not in the order of the interactions");
  }
  if (std::any_of(samples.label.begin(), samples.label.end(),
                  [](auto label) { return label > 1; })) {
    throw_bad_array(file, "samples.label", "a label other than 0 and 1");
  }
  samples.train_end = read_border(file, "train_end", 0, samples.size());
  samples.valid_end = read_border(file, "valid_end", samples.train_end, samples.size());
  return samples;
}

void check_format(const io::Hdf5File& file) {
  if (!file.has_attribute("format") || file.string_attribute("format") != kFormat) {
    throw_bad_data(file.path(), "not a data set of this program; run the stage ingest");
  }
  if (file.int_attribute("version") != kVersion) {
    throw_bad_data(file.path(), "format version " + std::to_string(file.int_attribute("version")) +
                                    ", expected " + std::to_string(kVersion) +
                                    "; run the stage ingest again");
  }
}

}  // namespace

void save_dataset(const std::string& path, const Dataset& dataset) {
  io::Hdf5Writer file(path);
  file.set_attribute("format", std::string(kFormat));
  file.set_attribute("version", kVersion);
  file.set_attribute("train_end", std::int64_t{dataset.samples.train_end});
  file.set_attribute("valid_end", std::int64_t{dataset.samples.valid_end});
  file.set_attribute("time_ordered", std::int64_t{dataset.time_ordered ? 1 : 0});
  file.set_attribute("filtered_rows", dataset.filtered_rows);
  file.set_attribute("repeated_rows", dataset.repeated_rows);
  file.set_attribute("rejected_rows", dataset.rejected_rows);
  write_ids(file, "users", dataset.users);
  write_ids(file, "items", dataset.items);
  write_fields(file, "user_fields", dataset.user_fields);
  write_fields(file, "item_fields", dataset.item_fields);
  file.add("interactions.user", dataset.interactions.user);
  file.add("interactions.item", dataset.interactions.item);
  file.add("interactions.rating", dataset.interactions.rating);
  file.add("interactions.timestamp", dataset.interactions.timestamp);
  if (!dataset.interactions.timestamp_fraction.empty()) {
    file.add(kFraction, dataset.interactions.timestamp_fraction);
  }
  file.add("samples.row", dataset.samples.row);
  file.add("samples.position", dataset.samples.position);
  file.add("samples.label", dataset.samples.label);
  file.commit();
}

Dataset load_dataset(const std::string& path) {
  const io::Hdf5File file(path);
  check_format(file);
  Dataset dataset;
  dataset.time_ordered = file.int_attribute("time_ordered") != 0;
  dataset.filtered_rows = file.int_attribute("filtered_rows");
  dataset.repeated_rows = file.int_attribute("repeated_rows");
  dataset.rejected_rows = file.int_attribute("rejected_rows");
  dataset.users = read_ids(file, "users");
  dataset.items = read_ids(file, "items");
  dataset.user_fields = read_fields(file, "user_fields", dataset.users.size());
  dataset.item_fields = read_fields(file, "item_fields", dataset.items.size());
  dataset.interactions = read_interactions(file, dataset);
  dataset.timelines = make_timelines(dataset.interactions, dataset.users.size());
  dataset.samples = read_samples(file, dataset.interactions);
  check_positions(file, dataset);
  return dataset;
}

}  // namespace rallrec::data
