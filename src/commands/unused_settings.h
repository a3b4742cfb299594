#pragma once

#include <string>
#include <vector>

#include "commands/command.h"

namespace rallrec::commands {

// Warns of those of `keys` ("light_gcn.edges") that were set, and not by the mode: `why` they do
// nothing here.
void warn_without_effect(const CommandContext& context, const std::vector<std::string>& keys,
                         const std::string& why);

}  // namespace rallrec::commands
