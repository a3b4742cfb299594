#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rallrec::text {

// Remembers the ids of words met before. Fixed size: a new word replaces the one in its slot. One
// object per thread.
class WordCache {
 public:
  // Longer words are not worth keeping.
  static constexpr std::size_t kMaxWordBytes = 48;

  // A place for one word.
  class Slot {
   public:
    bool holds(std::string_view word) const { return !word_.empty() && word_ == word; }
    const std::vector<std::int64_t>& ids() const { return ids_; }
    void assign(std::string_view word, const std::int64_t* begin, const std::int64_t* end);

   private:
    std::string word_;
    std::vector<std::int64_t> ids_;
  };

  Slot& slot_of(std::string_view word);
  // Forgets everything unless `owner`, any number that names a vocabulary, is the same as before.
  void use_for(std::uint64_t owner);

 private:
  static constexpr std::size_t kSlots = std::size_t{1} << 15;
  std::vector<Slot> slots_;
  std::uint64_t owner_ = 0;
};

}  // namespace rallrec::text
