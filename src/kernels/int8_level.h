#pragma once

#include <string>

namespace rallrec::kernels {

// The instructions that the 8-bit matmul is written for. All give the same int32 sums.
enum class Int8Level {
  kBaseline,
  kAvx2,  // vpmaddwd on int16 pairs
  kVnni,  // AVX-512 with vpdpbusd
  kAmx    // tdpbusd on tiles; the stores are AVX-512's
};

constexpr Int8Level kInt8Levels[] = {Int8Level::kBaseline, Int8Level::kAvx2, Int8Level::kVnni,
                                     Int8Level::kAmx};

const char* int8_level_name(Int8Level level);

// Whether this CPU has the instructions and the operating system lets the process use them. Asks
// Linux for the AMX tile state, which is granted to the whole process.
bool has_int8_level(Int8Level level);

// Whether small products with values up to ±127, forward and transposed, equal plain integer sums.
// The level must be one that has_int8_level.
bool int8_level_is_exact(Int8Level level);

struct Int8Choice {
  Int8Level level = Int8Level::kBaseline;
  std::string warning;  // a sentence for each level that was passed over because it is not exact
};

// The best level of which `has` and `exact` hold; the baseline needs neither.
Int8Choice choose_int8_level(bool (*has)(Int8Level), bool (*exact)(Int8Level));

// The best level that the process has and that is exact, found once.
Int8Level int8_level();

// The warning of that choice, empty where all is well: for the log.
const std::string& int8_level_warning();

}  // namespace rallrec::kernels
