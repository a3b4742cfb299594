#pragma once

#include <cstdint>
#include <optional>

#include "text/json_reader.h"
#include "text/word_splitter.h"

namespace rallrec::text {

// The split rule that "pre_tokenizer" of a tokenizer.json amounts to; kBadData, naming what is not
// known, where it is none of ours.
SplitRule read_pre_tokenizer(const JsonNode& node);

// The token that "post_processor" puts before every text, if any; kBadData where it adds something
// else. Ids must be below `tokens`.
std::optional<std::int32_t> read_bos_id(const JsonNode& root, std::int64_t tokens);

}  // namespace rallrec::text
