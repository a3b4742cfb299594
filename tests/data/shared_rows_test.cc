#include "data/datasets/shared_rows.h"

#include <gtest/gtest.h>

#include <atomic>

#include "core/error.h"
#include "data/datasets/atomic.h"
#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::data {
namespace {

using distributed::Communicator;
using rallrec::testing::TemporaryFolder;

constexpr const char* kHeader = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";

// Rows of different lengths; ids come back in later parts of the file.
std::string many_rows(int rows) {
  std::string text = kHeader;
  for (int row = 0; row < rows; ++row) {
    text += "u" + std::to_string(row * row % 37) + "\ti" + std::string(row % 5, '0') +
            std::to_string(row * 7 % 53) + "\t" + std::to_string(row % 5) + "\t" +
            std::to_string(1000 + row) + (row % 3 == 0 ? "\r\n" : "\n");
  }
  return text;
}

struct Outcome {
  std::vector<std::string> users;
  std::vector<std::string> items;
  InteractionTable table;
  std::int64_t rejected = 0;
  std::string error;
  std::string rejects;
};

std::vector<std::string> names_of(const IdMap& ids) {
  std::vector<std::string> names;
  for (std::int32_t id = 0; id < ids.size(); ++id) {
    names.push_back(ids.name(id));
  }
  return names;
}

Outcome read(const std::string& file, ReadOptions options) {
  Outcome outcome;
  try {
    const RawData raw = read_atomic(file, options);
    outcome.users = names_of(raw.users);
    outcome.items = names_of(raw.items);
    outcome.table = raw.interactions;
    outcome.rejected = raw.rejected_rows;
  } catch (const Error& error) {
    outcome.error = error.what();
  }
  return outcome;
}

// What `ranks` ranks find, checked to be the same on all; 0 ranks: one that reads alone.
Outcome read_on(int ranks, const std::string& content, std::int64_t max_bad_rows) {
  const TemporaryFolder folder;
  const std::string file = folder.put("a.inter", content);
  Outcome first;
  if (ranks == 0) {
    first = read(file, {max_bad_rows, folder.path()});
  } else {
    std::vector<Outcome> all(static_cast<std::size_t>(ranks));
    distributed::run_thread_ranks(ranks, [&](Communicator& communicator) {
      const bool writes = communicator.rank() == 0;
      all[communicator.rank()] =
          read(file, {max_bad_rows, writes ? folder.path() : "", &communicator});
    });
    first = all[0];
    for (const Outcome& other : all) {
      EXPECT_EQ(other.error, first.error);
      EXPECT_EQ(other.users, first.users);
      EXPECT_EQ(other.table.item, first.table.item);
      EXPECT_EQ(other.rejected, first.rejected);
    }
  }
  const std::string rejects = file + ".rejects";
  first.rejects = io::file_exists(rejects) ? io::read_file(rejects) : "";
  // The folder's name is another one each time.
  for (std::string* text : {&first.error, &first.rejects}) {
    for (auto at = text->find(folder.path()); at != std::string::npos;
         at = text->find(folder.path())) {
      text->erase(at, folder.path().size());
    }
  }
  return first;
}

void expect_as_alone(const std::string& content, std::int64_t max_bad_rows) {
  const Outcome alone = read_on(0, content, max_bad_rows);
  for (const int ranks : {1, 2, 3, 7}) {
    const Outcome shared = read_on(ranks, content, max_bad_rows);
    EXPECT_EQ(shared.error, alone.error) << ranks << " ranks";
    EXPECT_EQ(shared.rejects, alone.rejects) << ranks << " ranks";
    EXPECT_EQ(shared.rejected, alone.rejected) << ranks << " ranks";
    EXPECT_EQ(shared.users, alone.users) << ranks << " ranks";
    EXPECT_EQ(shared.items, alone.items) << ranks << " ranks";
    EXPECT_EQ(shared.table.user, alone.table.user) << ranks << " ranks";
    EXPECT_EQ(shared.table.item, alone.table.item) << ranks << " ranks";
    EXPECT_EQ(shared.table.rating, alone.table.rating) << ranks << " ranks";
    EXPECT_EQ(shared.table.timestamp, alone.table.timestamp) << ranks << " ranks";
  }
}

TEST(SharedRows, AreThoseOfOneRankInItsOrder) {
  ASSERT_EQ(read_on(0, many_rows(500), 0).table.size(), 500U);
  expect_as_alone(many_rows(500), 0);
  expect_as_alone("\xEF\xBB\xBF" + many_rows(40), 0);
}

TEST(SharedRows, MayBeFewerThanRanks) {
  expect_as_alone(many_rows(1), 0);
  expect_as_alone(std::string(kHeader) + "u\ti\t1\t2", 0);
  expect_as_alone(std::string(kHeader) + "\n\n", 0);
  expect_as_alone(kHeader, 0);
}

// Bad rows at the places that 0 ends.
std::string with_bad_rows(int rows, int every) {
  std::string text = kHeader;
  for (int row = 0; row < rows; ++row) {
    const bool bad = row % every == every - 1;
    text += "u\ti" + std::to_string(row) + "\t" + (bad ? "five" : "5") + "\t1\n";
  }
  return text;
}

TEST(SharedRows, ReportTheFirstBadRowOfTheFile) {
  const std::string content = with_bad_rows(300, 90);
  EXPECT_NE(read_on(0, content, 0).error.find("a.inter:91:"), std::string::npos);
  expect_as_alone(content, 0);
}

TEST(SharedRows, KeepTheBadRowPolicyOfTheWholeFile) {
  const std::string content = with_bad_rows(300, 25);
  const Outcome alone = read_on(0, content, 12);
  EXPECT_EQ(alone.rejected, 12);
  EXPECT_NE(alone.rejects.find("five"), std::string::npos);
  expect_as_alone(content, 12);
  EXPECT_NE(read_on(0, content, 11).error.find("bad row number 12"), std::string::npos);
  expect_as_alone(content, 11);
  expect_as_alone(content, 3);
}

}  // namespace
}  // namespace rallrec::data
