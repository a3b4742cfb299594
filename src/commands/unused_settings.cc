#include "commands/unused_settings.h"

#include <spdlog/spdlog.h>

namespace rallrec::commands {

void warn_without_effect(const CommandContext& context, const std::vector<std::string>& keys,
                         const std::string& why) {
  for (const std::string& key : keys) {
    const auto origin = context.origins.find(key);
    const bool is_set = origin != context.origins.end() && origin->second != "default" &&
                        origin->second.rfind("mode ", 0) != 0;
    if (is_set) {
      spdlog::warn("{} ({}) has no effect: {}", key, origin->second, why);
    }
  }
}

}  // namespace rallrec::commands
