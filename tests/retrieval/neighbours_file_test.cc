#include "retrieval/neighbours_file.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::retrieval {
namespace {

using rallrec::testing::expect_error;

// Three samples with histories of 2, 0 and 4 interactions.
data::Dataset dataset() {
  data::Dataset result;
  result.samples.row = {0, 1, 2};
  result.samples.position = {2, 0, 4};
  result.samples.label = {0, 0, 1};
  return result;
}

Neighbours good() {
  Neighbours neighbours;
  neighbours.add(0, {1, 0}, {0.5F, 0.25F});
  neighbours.add(1, {}, {});
  neighbours.add(2, {3, 0, 2}, {3.0F, 2.0F, -1.0F});
  return neighbours;
}

TEST(NeighboursFile, RoundTrips) {
  const rallrec::testing::TemporaryFolder folder;
  const std::string path = folder.file("neighbours.h5");
  save_neighbours(path, good());
  const data::Dataset data = dataset();
  const Neighbours read = load_neighbours(path, data);
  EXPECT_EQ(read.samples, good().samples);
  EXPECT_EQ(read.offsets, good().offsets);
  EXPECT_EQ(read.places, good().places);
  EXPECT_EQ(read.scores, good().scores);
  const auto places = read.of(2);
  EXPECT_EQ(std::vector<std::int32_t>(places.begin(), places.end()),
            (std::vector<std::int32_t>{3, 0, 2}));
  EXPECT_TRUE(read.of(1).empty());
}

TEST(NeighboursFile, RefusesSamplesItDoesNotHave) {
  Neighbours neighbours;
  neighbours.add(1, {}, {});
  EXPECT_THROW(neighbours.of(0), Error);
  EXPECT_THROW(neighbours.of(2), Error);
  EXPECT_THROW(neighbours.add(1, {}, {}), Error);
  EXPECT_THROW(neighbours.add(2, {0}, {}), Error);
}

TEST(NeighboursFile, NamesTheArrayThatDoesNotHold) {
  const rallrec::testing::TemporaryFolder folder;
  const data::Dataset data = dataset();
  const auto refuse = [&](const std::string& array, auto change) {
    Neighbours neighbours = good();
    change(neighbours);
    const std::string path = folder.file("neighbours.h5");
    save_neighbours(path, neighbours);
    expect_error(ExitCode::kBadData, "array '" + array + "'", [&] { load_neighbours(path, data); });
  };
  refuse("samples", [](Neighbours& n) { n.samples[2] = 3; });
  refuse("samples", [](Neighbours& n) { n.samples[0] = -1; });
  refuse("samples", [](Neighbours& n) { n.samples[1] = 0; });
  refuse("offsets", [](Neighbours& n) { n.offsets[1] = 9; });
  refuse("offsets", [](Neighbours& n) { n.offsets.pop_back(); });
  refuse("offsets", [](Neighbours& n) { n.offsets[0] = 1; });
  refuse("scores", [](Neighbours& n) { n.scores.pop_back(); });
  refuse("places", [](Neighbours& n) { n.places[0] = 2; });
  refuse("places", [](Neighbours& n) { n.places[1] = -1; });
  refuse("places", [](Neighbours& n) { n.places[3] = 3; });
}

}  // namespace
}  // namespace rallrec::retrieval
