#pragma once

#include <string>
#include <string_view>

namespace rallrec::data {

// The country of a Book-Crossing reader: the last part of a location such as "nyc, new york, usa",
// in capitalised words ("New Zealand"), common other spellings under one name ("u.s.a." is USA,
// "england" United Kingdom). What is empty, a single letter, not made of letters, or a stand-in
// such as "n/a" is kUnknown (filters.h). Readers wrote what they liked, so not every result is a
// country.
std::string country_of(std::string_view location);

}  // namespace rallrec::data
