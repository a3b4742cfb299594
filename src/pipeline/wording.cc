#include "pipeline/wording.h"

namespace rallrec::pipeline {
namespace {

std::vector<std::string> names_of(const data::FieldTable& table) {
  std::vector<std::string> names;
  for (const data::Field& field : table.fields) {
    names.push_back(field.name);
  }
  return names;
}

}  // namespace

text::PromptTemplate load_wording(const config::PromptOptions& options,
                                  const data::Dataset& dataset) {
  return text::PromptTemplate::load(options.templates,
                                    {names_of(dataset.user_fields), names_of(dataset.item_fields)});
}

text::FieldLookup item_fields(const data::Dataset& dataset, std::int32_t item) {
  return [&dataset, item](std::string_view name) {
    std::string value = dataset.item_fields.text(name, item);
    return value.empty() && name == "title" ? dataset.items.name(item) : value;
  };
}

text::FieldLookup user_fields(const data::Dataset& dataset, std::int32_t user) {
  return [&dataset, user](std::string_view name) { return dataset.user_fields.text(name, user); };
}

}  // namespace rallrec::pipeline
