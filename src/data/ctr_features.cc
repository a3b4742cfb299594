#include "data/ctr_features.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "config/did_you_mean.h"
#include "core/error.h"

namespace rallrec::data {
namespace {

// How many training samples each entity has.
std::vector<std::int64_t> counts_of(const std::vector<std::int32_t>& ids, std::int32_t entities) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(entities));
  for (const std::int32_t id : ids) ++counts[static_cast<std::size_t>(id)];
  return counts;
}

// One field over all entities, before the fields are put side by side.
struct Column {
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::int32_t> rows;
  std::vector<float> weights;

  void add(std::int32_t row, float weight) {
    rows.push_back(row);
    weights.push_back(weight);
  }
  void end_entity() { offsets.push_back(static_cast<std::int64_t>(rows.size())); }
};

// The fields of users or of items.
class EntityEncoder {
 public:
  // `counts` are the training samples of each entity.
  EntityEncoder(std::vector<std::int64_t> counts, std::int32_t& next_row,
                std::vector<FeatureField>& fields)
      : counts_(std::move(counts)), next_row_(next_row), fields_(fields) {}

  void add_ids(const std::string& name) {
    FeatureField& field = open(name, FieldKind::kToken);
    Column column;
    for (const std::int64_t count : counts_) {
      column.add(count > 0 ? next_row_++ : field.first_row, 1.0F);
      column.end_entity();
    }
    close(field, std::move(column));
  }

  void add(const Field& source) {
    if (is_token(source.kind)) {
      add_words(source);
    } else {
      add_numbers(source);
    }
  }

  FeatureBags take() {
    FeatureBags bags;
    bags.fields = static_cast<std::int64_t>(columns_.size());
    for (std::size_t entity = 0; entity < counts_.size(); ++entity) {
      for (const Column& column : columns_) {
        for (std::int64_t e = column.offsets[entity]; e < column.offsets[entity + 1]; ++e) {
          bags.rows.push_back(column.rows[static_cast<std::size_t>(e)]);
          bags.weights.push_back(column.weights[static_cast<std::size_t>(e)]);
        }
        bags.offsets.push_back(static_cast<std::int64_t>(bags.rows.size()));
      }
    }
    return bags;
  }

 private:
  FeatureField& open(const std::string& name, FieldKind kind) {
    fields_.push_back({name, kind, next_row_++, 1});
    return fields_.back();
  }

  void close(FeatureField& field, Column&& column) {
    field.rows = next_row_ - field.first_row;
    columns_.push_back(std::move(column));
  }

  bool has_values(const Field& source, std::size_t entity) const {
    const auto row = static_cast<std::int64_t>(entity);
    return row < source.rows() && source.offsets[entity] < source.offsets[entity + 1];
  }

  void add_words(const Field& source) {
    FeatureField& field = open(source.name, source.kind);
    // Of each word; that of unseen ones until a training sample has it.
    std::vector<std::int32_t> row_of(source.vocabulary.size(), field.first_row);
    for_words(source, [&](std::size_t entity, std::int32_t code) {
      std::int32_t& row = row_of[static_cast<std::size_t>(code)];
      if (counts_[entity] > 0 && row == field.first_row) row = next_row_++;
    });
    Column column;
    for (std::size_t entity = 0; entity < counts_.size(); ++entity) {
      if (!has_values(source, entity)) {
        column.add(field.first_row, 1.0F);
      } else {
        const auto codes = source.codes_of(static_cast<std::int32_t>(entity));
        const float weight = 1.0F / static_cast<float>(codes.size());
        for (const std::int32_t code : codes) {
          column.add(row_of[static_cast<std::size_t>(code)], weight);
        }
      }
      column.end_entity();
    }
    close(field, std::move(column));
  }

  template <typename Visit>
  void for_words(const Field& source, const Visit& visit) const {
    for (std::size_t entity = 0; entity < counts_.size(); ++entity) {
      if (!has_values(source, entity)) continue;
      for (const std::int32_t code : source.codes_of(static_cast<std::int32_t>(entity))) {
        visit(entity, code);
      }
    }
  }

  static double mean_number(const Field& source, std::size_t entity) {
    const auto numbers = source.numbers_of(static_cast<std::int32_t>(entity));
    double sum = 0.0;
    for (const float number : numbers) sum += number;
    return sum / static_cast<double>(numbers.size());
  }

  void add_numbers(const Field& source) {
    FeatureField& field = open(source.name, source.kind);
    const auto [mean, deviation] = moments(source);
    Column column;
    for (std::size_t entity = 0; entity < counts_.size(); ++entity) {
      const bool known = deviation > 0.0 && has_values(source, entity);
      column.add(
          field.first_row,
          known ? static_cast<float>((mean_number(source, entity) - mean) / deviation) : 0.0F);
      column.end_entity();
    }
    close(field, std::move(column));
  }

  struct Moments {
    double mean = 0.0;
    double deviation = 0.0;
  };

  // Over the training samples that have a number; two passes, so that nothing cancels.
  Moments moments(const Field& source) const {
    double samples = 0.0;
    double sum = 0.0;
    for_numbers(source, [&](double number, double count) {
      samples += count;
      sum += count * number;
    });
    if (samples == 0.0) return {};
    const double mean = sum / samples;
    double squares = 0.0;
    for_numbers(source, [&](double number, double count) {
      squares += count * (number - mean) * (number - mean);
    });
    return {mean, std::sqrt(squares / samples)};
  }

  template <typename Visit>
  void for_numbers(const Field& source, const Visit& visit) const {
    for (std::size_t entity = 0; entity < counts_.size(); ++entity) {
      if (counts_[entity] > 0 && has_values(source, entity)) {
        visit(mean_number(source, entity), static_cast<double>(counts_[entity]));
      }
    }
  }

  std::vector<std::int64_t> counts_;
  std::int32_t& next_row_;
  std::vector<FeatureField>& fields_;
  std::vector<Column> columns_;
};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// All columns that could be features.
std::vector<std::string> names_of(const CtrData& data) {
  std::vector<std::string> names = {"user_id"};
  for (const Field& field : data.user_fields.fields) {
    if (!field.derived) names.push_back(field.name);
  }
  names.emplace_back("item_id");
  for (const Field& field : data.item_fields.fields) {
    if (!field.derived) names.push_back(field.name);
  }
  return names;
}

void check_leave_out(const CtrData& data, const std::vector<std::string>& leave_out) {
  const std::vector<std::string> names = names_of(data);
  for (const std::string& name : leave_out) {
    if (!contains(names, name)) {
      throw_usage("baseline.leave_out: no column is called '" + name + "'" +
                  config::did_you_mean(name, names));
    }
  }
}

// Every row of the table is numbered by 32 bits; this counts from above.
void check_rows(const CtrData& data) {
  std::int64_t rows = 2 * (std::int64_t{data.users.size()} + data.items.size()) + 4;
  for (const FieldTable* table : {&data.user_fields, &data.item_fields}) {
    for (const Field& field : table->fields) {
      rows += static_cast<std::int64_t>(field.vocabulary.size()) + 1;
    }
  }
  if (rows > std::numeric_limits<std::int32_t>::max()) {
    throw_usage(
        "baseline: the features have more than 2^31 values; leave columns out with "
        "baseline.leave_out");
  }
}

FeatureBags encode_entities(EntityEncoder encoder, const std::string& id_name,
                            const FieldTable& table, const std::vector<std::string>& leave_out) {
  if (!contains(leave_out, id_name)) encoder.add_ids(id_name);
  for (const Field& field : table.fields) {
    if (!field.derived && !contains(leave_out, field.name)) encoder.add(field);
  }
  return encoder.take();
}

void add_history(const CtrData& data, CtrFeatures& features) {
  if (data.train.history_offsets.empty()) return;
  FeatureField field{"history", FieldKind::kTokenSequence, features.rows++, 1};
  const auto counts = counts_of(data.train.history, data.items.size());
  for (const std::int64_t count : counts) {
    features.history_rows.push_back(count > 0 ? features.rows++ : field.first_row);
  }
  field.rows = features.rows - field.first_row;
  features.fields.push_back(std::move(field));
}

}  // namespace

CtrFeatures encode_features(const CtrData& data, const FeatureOptions& options) {
  check_leave_out(data, options.leave_out);
  check_rows(data);
  CtrFeatures features;
  features.users = encode_entities(
      {counts_of(data.train.user, data.users.size()), features.rows, features.fields}, "user_id",
      data.user_fields, options.leave_out);
  features.items = encode_entities(
      {counts_of(data.train.item, data.items.size()), features.rows, features.fields}, "item_id",
      data.item_fields, options.leave_out);
  add_history(data, features);
  if (features.fields.empty()) {
    throw_usage("baseline.leave_out: leaves no feature; name fewer columns");
  }
  return features;
}

}  // namespace rallrec::data
