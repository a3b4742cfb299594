#include "data/datasets/movielens_ratings.h"

#include <limits>

#include "data/datasets/shared_rows.h"

namespace rallrec::data {

void read_movielens_ratings(const RatingsFile& file, const ReadOptions& options, RawData& raw) {
  InteractionTable& table = raw.interactions;
  const auto format = delimited_options(file.path, file.separator, file.timed ? 4 : 3, options);
  const auto counts =
      for_each_shared_row(file.path, format, options, [&](const io::DelimitedRow& row) {
        const std::int32_t user = get_known_id(row, 0, "user id", raw.users, file.user_file);
        const std::int32_t item = get_known_id(row, 1, "item id", raw.items, file.item_file);
        const std::int64_t stars = get_whole(row, 2, "rating", 1, 5);
        if (file.timed) {
          constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();
          table.timestamp.push_back(get_whole(row, 3, "timestamp", 0, kLatest));
        }
        table.user.push_back(user);
        table.item.push_back(item);
        table.rating.push_back(static_cast<float>(stars));
      });
  join_rows(options, raw.users.size(), raw.items.size(), raw.users, raw.items, table);
  raw.rejected_rows += counts.rejected;
}

}  // namespace rallrec::data
