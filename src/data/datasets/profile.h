#pragma once

#include <string>
#include <string_view>

namespace rallrec::data {

// Words for the codes that MovieLens files use. An unknown code gives "".

// "M" → "male", "F" → "female".
std::string gender_word(std::string_view code);
// The age group of an age in years, or of an ML-1M age code, which is the first year of its group:
// "under 18", "18-24", "25-34", "35-44", "45-49", "50-55", "above 56" (which includes 56). "" where
// `age` is not a whole number below 200.
std::string age_group(std::string_view age);
// True for the age codes of ML-1M: 1, 18, 25, 35, 45, 50, 56.
bool is_age_code(std::string_view code);
// The occupations of ML-1M, codes 0 … 20, in short words ("clerical or admin worker").
std::string occupation_word(std::string_view code);

// The year of a title that ends in "(1994)"; "" elsewhere.
std::string year_of_title(std::string_view title);

}  // namespace rallrec::data
