#include "data/datasets/atomic_time.h"

#include <cmath>
#include <string>
#include <string_view>

namespace rallrec::data {

AtomicTime atomic_time(const io::DelimitedRow& row, std::size_t i) {
  const std::string_view text = row.get_text(i, "timestamp");
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  // A double would round large ones.
  if (digits) return {row.get_int(i, "timestamp"), 0.0};
  const double time = row.get_number(i, "timestamp");
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (!(time >= 0.0 && time < kEnd)) {
    row.fail(
        i, "timestamp: expected a number from 0 to below 2^63, found '" + std::string(text) + "'");
  }
  const double whole = std::floor(time);
  return {static_cast<std::int64_t>(whole), time - whole};
}

}  // namespace rallrec::data
