#pragma once

#include <cstdint>

#include "config/options.h"
#include "data/dataset.h"
#include "text/prompt_template.h"

namespace rallrec::pipeline {

// The wording that prompt.templates names; its placeholders may be any field of the data set.
text::PromptTemplate load_wording(const config::PromptOptions& options,
                                  const data::Dataset& dataset);

// What the placeholders of an item or a user stand for. An item without a title goes by its
// original id. The data set must outlive the result.
text::FieldLookup item_fields(const data::Dataset& dataset, std::int32_t item);
text::FieldLookup user_fields(const data::Dataset& dataset, std::int32_t user);

}  // namespace rallrec::pipeline
