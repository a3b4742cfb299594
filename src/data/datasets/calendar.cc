#include "data/datasets/calendar.h"

#include <charconv>

namespace rallrec::data {
namespace {

constexpr int kFirstYear = 1970;
constexpr std::int64_t kSecondsPerDay = 86400;

bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

// Takes a whole number and the text behind it from the front.
bool take_number(std::string_view& text, std::string_view behind, int* number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *number);
  if (parsed.ec != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  if (text.substr(0, behind.size()) != behind) return false;
  text.remove_prefix(behind.size());
  return true;
}

}  // namespace

bool seconds_of_date(std::string_view text, std::int64_t* seconds) {
  int month = 0;
  int day = 0;
  int year = 0;
  const bool read = take_number(text, " ", &month) && take_number(text, ", ", &day) &&
                    take_number(text, "", &year) && text.empty();
  if (!read || year < kFirstYear || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > days_in_month(year, month)) {
    return false;
  }
  std::int64_t days = day - 1;
  for (int earlier = kFirstYear; earlier < year; ++earlier) days += is_leap(earlier) ? 366 : 365;
  for (int earlier = 1; earlier < month; ++earlier) days += days_in_month(year, earlier);
  *seconds = days * kSecondsPerDay;
  return true;
}

}  // namespace rallrec::data
