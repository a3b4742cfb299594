#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rallrec::data {

// Interactions, one column per attribute: row r says that user[r] gave item[r] the rating rating[r]
// at timestamp[r] (seconds, or whatever whole number the source counts in). User and item are dense
// ids. `rating` and `timestamp` are empty where the source has no such column: neither is ever
// invented. Where a source has times between whole numbers, `timestamp` is rounded down and
// `timestamp_fraction` what is missing, in [0, 1); it is empty where all are whole.
struct InteractionTable {
  std::vector<std::int32_t> user;
  std::vector<std::int32_t> item;
  std::vector<float> rating;
  std::vector<std::int64_t> timestamp;
  std::vector<double> timestamp_fraction;

  std::size_t size() const { return user.size(); }
  bool has_ratings() const { return rating.size() == size(); }
  bool has_timestamps() const { return timestamp.size() == size(); }
  double fraction(std::size_t row) const {
    return timestamp_fraction.empty() ? 0.0 : timestamp_fraction[row];
  }

  // Appends a time; rows before the first with a fraction get 0.
  void add_time(std::int64_t whole, double part);

  // Keeps rows[0], rows[1], … in that order.
  void select(const std::vector<std::int32_t>& rows);
};

// The rows of `table` by (timestamp with its fraction, user, item), equal keys in their present
// order. Without timestamps the order is (user, item). Throws Error where the table has 2^31 rows
// or more.
std::vector<std::int32_t> time_order(const InteractionTable& table);

}  // namespace rallrec::data
