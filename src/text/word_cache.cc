#include "text/word_cache.h"

#include <xxhash.h>

namespace rallrec::text {

void WordCache::Slot::assign(std::string_view word, const std::int64_t* begin,
                             const std::int64_t* end) {
  word_.assign(word);
  ids_.assign(begin, end);
}

WordCache::Slot& WordCache::slot_of(std::string_view word) {
  return slots_[XXH3_64bits(word.data(), word.size()) & (kSlots - 1)];
}

void WordCache::use_for(std::uint64_t owner) {
  if (owner != owner_ || slots_.empty()) {
    slots_.assign(kSlots, Slot());
    owner_ = owner;
  }
}

}  // namespace rallrec::text
