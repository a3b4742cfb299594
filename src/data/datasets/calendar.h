#pragma once

#include <cstdint>
#include <string_view>

namespace rallrec::data {

// Seconds from 1970 to midnight (UTC) of a date in the words of Amazon reviews: month, day, comma,
// year, as in "04 4, 2004". False where `text` is no such date of the Gregorian calendar from 1970
// to 9999.
bool seconds_of_date(std::string_view text, std::int64_t* seconds);

}  // namespace rallrec::data
