#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/datasets/source_file.h"
#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::data {

inline std::vector<std::string> names_of(const IdMap& ids) {
  std::vector<std::string> names;
  for (std::int32_t id = 0; id < ids.size(); ++id) names.push_back(ids.name(id));
  return names;
}

inline void expect_equal(const RawData& left, const RawData& right) {
  EXPECT_EQ(names_of(left.users), names_of(right.users));
  EXPECT_EQ(names_of(left.items), names_of(right.items));
  EXPECT_EQ(left.interactions.user, right.interactions.user);
  EXPECT_EQ(left.interactions.item, right.interactions.item);
  EXPECT_EQ(left.interactions.rating, right.interactions.rating);
  EXPECT_EQ(left.interactions.timestamp, right.interactions.timestamp);
  EXPECT_EQ(left.rejected_rows, right.rejected_rows);
}

// Expects that `read` finds the same in `path` on 1, 2 and 3 ranks as alone, `bad_rows` rejected
// rows among it, and writes the same .rejects files.
template <class Read>
void expect_same_on_ranks(const Read& read, const std::string& path, std::int64_t bad_rows) {
  const rallrec::testing::TemporaryFolder alone_rejects;
  const RawData alone = read(path, ReadOptions{bad_rows, alone_rejects.path()});
  ASSERT_GT(alone.interactions.size(), 3U);
  ASSERT_EQ(alone.rejected_rows, bad_rows);
  for (const int ranks : {1, 2, 3}) {
    const rallrec::testing::TemporaryFolder rejects;
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      const bool writes = communicator.rank() == 0;
      const ReadOptions options{bad_rows, writes ? rejects.path() : "", &communicator};
      expect_equal(read(path, options), alone);
    });
    ASSERT_EQ(rejects.entries(), alone_rejects.entries());
    for (const auto& entry : std::filesystem::directory_iterator(alone_rejects.path())) {
      const std::string name = io::name_of(entry.path().string());
      EXPECT_EQ(rejects.get(name), alone_rejects.get(name)) << name;
    }
  }
}

}  // namespace rallrec::data
