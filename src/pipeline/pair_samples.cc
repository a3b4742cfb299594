#include "pipeline/pair_samples.h"

#include <algorithm>

#include "config/did_you_mean.h"
#include "core/error.h"

namespace rallrec::pipeline {
namespace {

std::string unknown(const std::string& name, const data::IdMap& ids) {
  std::vector<std::string> names;
  for (std::int32_t id = 0; id < ids.size(); ++id) {
    names.push_back(ids.name(id));
  }
  return "'" + name + "' is not in the data set" + config::did_you_mean(name, names);
}

std::int32_t id_of(const io::JsonRecord& record, const char* key, const data::IdMap& ids) {
  const std::string& name = record.get_string(key);
  const std::int32_t id = ids.find(name);
  if (id < 0) {
    record.fail(key, unknown(name, ids));
  }
  return id;
}

}  // namespace

data::Dataset with_pair_samples(data::Dataset dataset, const std::vector<Pair>& pairs) {
  data::InteractionTable& table = dataset.interactions;
  const bool timed = table.has_timestamps() && !table.timestamp.empty();
  const std::int64_t newest =
      timed ? *std::max_element(table.timestamp.begin(), table.timestamp.end()) : 0;
  data::SampleTable samples;
  for (const Pair& pair : pairs) {
    samples.row.push_back(static_cast<std::int32_t>(table.size()));
    samples.position.push_back(static_cast<std::int32_t>(dataset.timelines.of(pair.user).size()));
    samples.label.push_back(0);
    table.user.push_back(pair.user);
    table.item.push_back(pair.item);
    table.rating.push_back(0.0F);
    if (timed) {
      table.add_time(newest, 0.0);
    }
  }
  dataset.samples = std::move(samples);
  return dataset;
}

std::int32_t find_user(const data::Dataset& dataset, const std::string& name, const char* flag) {
  const std::int32_t user = dataset.users.find(name);
  if (user < 0) {
    throw_usage(std::string(flag) + ": user " + unknown(name, dataset.users));
  }
  return user;
}

std::int32_t user_of(const io::JsonRecord& record, const data::Dataset& dataset) {
  return id_of(record, "user", dataset.users);
}

std::int32_t item_of(const io::JsonRecord& record, const data::Dataset& dataset) {
  return id_of(record, "item", dataset.items);
}

}  // namespace rallrec::pipeline
