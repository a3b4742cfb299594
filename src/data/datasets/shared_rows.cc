#include "data/datasets/shared_rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "data/renumber.h"
#include "distributed/joint_error.h"
#include "io/line_cuts.h"

namespace rallrec::data {
namespace {

using distributed::Communicator;
using distributed::DType;

// This rank's part of the file. Collective.
io::RowRange own_range(const std::string& file, Communicator& communicator) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const auto rank = static_cast<std::size_t>(communicator.rank());
  std::vector<std::uint64_t> cuts;
  std::uint64_t lines = 0;
  distributed::run_jointly(communicator, [&] {
    const io::InputFile input(file);
    if (!input.is_regular()) {
      cuts.assign(ranks + 1, ~std::uint64_t{0});
      cuts[0] = 0;
      return;
    }
    cuts = io::cut_at_lines(input, communicator.size());
    lines = io::count_line_ends(input, cuts[rank], cuts[rank + 1]);
  });
  std::vector<std::uint64_t> all_lines(ranks);
  communicator.all_gather(&lines, all_lines.data(), 1, DType::kInt64);
  io::RowRange range{cuts[rank], cuts[rank + 1], 1};
  for (std::size_t earlier = 0; earlier < rank; ++earlier) {
    range.first_line += all_lines[earlier];
  }
  return range;
}

template <typename Value>
void append_value(const Value& value, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(const std::string& text, std::string& bytes) {
  append_value(text.size(), bytes);
  bytes.append(text);
}

// Takes back what the two above appended.
class Unpacker {
 public:
  explicit Unpacker(const std::string& bytes) : bytes_(bytes) {}
  bool done() const { return at_ == bytes_.size(); }
  template <typename Value>
  Value value() {
    Value result;
    std::memcpy(&result, bytes_.data() + at_, sizeof result);
    at_ += sizeof result;
    return result;
  }
  std::string text() {
    const auto size = value<std::size_t>();
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

// Applies the policy to the bad rows of all ranks, in the order of the file. Collective.
std::int64_t apply_policy(const io::BadRowPolicy& policy, const std::vector<io::BadRow>& mine,
                          Communicator& communicator) {
  std::string bytes;
  for (const io::BadRow& bad : mine) {
    append_value(bad.error.code(), bytes);
    append_text(bad.error.what(), bytes);
    append_text(bad.row, bytes);
  }
  const std::vector<std::string> of_ranks = distributed::all_gather_strings(communicator, bytes);
  io::BadRows bad_rows(policy);
  distributed::run_jointly(communicator, [&] {
    for (const std::string& of_rank : of_ranks) {
      for (Unpacker unpacker(of_rank); !unpacker.done();) {
        const auto code = unpacker.value<ExitCode>();
        const std::string reason = unpacker.text();
        bad_rows.reject(Error(code, reason), unpacker.text());
      }
    }
    bad_rows.finish();
  });
  return bad_rows.count();
}

template <typename Value>
void join_column(Communicator& communicator, const std::vector<std::size_t>& counts, DType dtype,
                 std::vector<Value>& column) {
  std::size_t total = 0;
  for (const std::size_t count : counts) {
    total += count;
  }
  std::vector<Value> joined(total);
  communicator.all_gather_v(column.data(), joined.data(), counts, dtype);
  column = std::move(joined);
}

std::vector<std::size_t> sizes_of_ranks(Communicator& communicator, std::size_t mine) {
  std::vector<std::uint64_t> sizes(static_cast<std::size_t>(communicator.size()));
  const std::uint64_t size = mine;
  communicator.all_gather(&size, sizes.data(), 1, DType::kInt64);
  return {sizes.begin(), sizes.end()};
}

// Renumbers this rank's new ids as if all rows had been met in order.
void join_ids(Communicator& communicator, std::int32_t known, IdMap& ids,
              std::vector<std::int32_t>& column) {
  std::string names;
  for (std::int32_t id = known; id < ids.size(); ++id) {
    append_text(ids.name(id), names);
  }
  const auto of_ranks = distributed::all_gather_strings(communicator, names);
  std::vector<std::int32_t> kept(static_cast<std::size_t>(known));
  for (std::int32_t id = 0; id < known; ++id) {
    kept[static_cast<std::size_t>(id)] = id;
  }
  IdMap joined = ids.select(kept);
  std::vector<std::int32_t> new_id = std::move(kept);
  for (int rank = 0; rank < communicator.size(); ++rank) {
    for (Unpacker unpacker(of_ranks[static_cast<std::size_t>(rank)]); !unpacker.done();) {
      const std::int32_t id = joined.add(unpacker.text());
      if (rank == communicator.rank()) {
        new_id.push_back(id);
      }
    }
  }
  renumber(column, new_id);
  ids = std::move(joined);
}

}  // namespace

io::RowCounts for_each_shared_row(const std::string& file, const io::DelimitedOptions& format,
                                  const ReadOptions& options, const io::RowVisitor& visit) {
  if (options.communicator == nullptr) {
    return io::for_each_row(file, format, visit);
  }
  Communicator& communicator = *options.communicator;
  std::vector<io::BadRow> bad_rows;
  io::DelimitedOptions part = format;
  part.range = own_range(file, communicator);
  part.kept_bad_rows = &bad_rows;
  std::int64_t visited = 0;
  distributed::run_jointly(communicator,
                           [&] { visited = io::for_each_row(file, part, visit).visited; });
  const std::int64_t rejected = apply_policy(format.bad_rows, bad_rows, communicator);
  communicator.all_reduce(&visited, 1, DType::kInt64);
  return {visited, rejected};
}

void join_rows(const ReadOptions& options, std::int32_t known_users, std::int32_t known_items,
               IdMap& users, IdMap& items, InteractionTable& table) {
  if (options.communicator == nullptr || options.communicator->size() == 1) {
    return;
  }
  Communicator& communicator = *options.communicator;
  join_ids(communicator, known_users, users, table.user);
  join_ids(communicator, known_items, items, table.item);
  const auto rows = sizes_of_ranks(communicator, table.user.size());
  const auto ratings = sizes_of_ranks(communicator, table.rating.size());
  const auto timestamps = sizes_of_ranks(communicator, table.timestamp.size());
  const auto fractions = sizes_of_ranks(communicator, table.timestamp_fraction.size());
  join_column(communicator, rows, DType::kInt32, table.user);
  join_column(communicator, rows, DType::kInt32, table.item);
  join_column(communicator, ratings, DType::kFloat32, table.rating);
  // A rank that met whole times alone has no fractions.
  if (std::any_of(fractions.begin(), fractions.end(),
                  [](std::size_t count) { return count > 0; })) {
    table.timestamp_fraction.resize(table.timestamp.size(), 0.0);
    join_column(communicator, timestamps, DType::kFloat64, table.timestamp_fraction);
  }
  join_column(communicator, timestamps, DType::kInt64, table.timestamp);
}

}  // namespace rallrec::data
