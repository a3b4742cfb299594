#pragma once

#include <vector>

#include "io/json_record.h"
#include "text/chat_template.h"

namespace rallrec::text {

// A line of a prompt file comes in two forms:
//   {"input": "…", "output": "Yes."}           with an optional "system"
//   {"messages": [{"role": "user", "content": "…"}, …, {"role": "assistant", "content": "Yes."}]}
// Other keys are left alone. What does not fit is bad data that names the line and the key.

// The messages of a line, the answer last where there is one.
std::vector<ChatMessage> conversation_of(const io::JsonRecord& record);

}  // namespace rallrec::text
