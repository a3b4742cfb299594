#include "retrieval/neighbours_file.h"

#include <algorithm>

#include "core/check.h"
#include "io/hdf5_file.h"

namespace rallrec::retrieval {
namespace {

constexpr const char* kFormat = "rallrec neighbours";
constexpr std::int64_t kVersion = 1;

[[noreturn]] void refuse(const std::string& path, const std::string& array,
                         const std::string& message) {
  throw_bad_data(path, "array '" + array + "': " + message + "; run the stage retrieve again");
}

void check_samples(const std::string& path, const Neighbours& n, const data::Dataset& dataset) {
  for (std::size_t i = 0; i < n.samples.size(); ++i) {
    if (n.samples[i] < 0 || n.samples[i] >= dataset.samples.size()) {
      refuse(path, "samples", "sample " + std::to_string(n.samples[i]) + " is not in the data set");
    }
    if (i > 0 && n.samples[i] <= n.samples[i - 1]) {
      refuse(path, "samples", "must be ascending");
    }
  }
}

void check_offsets(const std::string& path, const Neighbours& n) {
  const auto places = static_cast<std::int64_t>(n.places.size());
  if (n.offsets.size() != n.samples.size() + 1 || n.offsets.front() != 0 ||
      n.offsets.back() != places || !std::is_sorted(n.offsets.begin(), n.offsets.end())) {
    refuse(path, "offsets", "must rise from 0 to the number of places, one more than samples");
  }
  if (n.scores.size() != n.places.size()) {
    refuse(path, "scores", "must be as many as there are places");
  }
}

void check_places(const std::string& path, const Neighbours& n, const data::Dataset& dataset) {
  std::vector<std::size_t> seen_at;  // by place: 1 + the index of the sample that had it last
  for (std::size_t i = 0; i < n.samples.size(); ++i) {
    const std::int32_t history = dataset.samples.position[static_cast<std::size_t>(n.samples[i])];
    seen_at.resize(std::max<std::size_t>(seen_at.size(), static_cast<std::size_t>(history)), 0);
    for (std::int64_t at = n.offsets[i]; at < n.offsets[i + 1]; ++at) {
      const std::int32_t place = n.places[static_cast<std::size_t>(at)];
      if (place < 0 || place >= history || seen_at[static_cast<std::size_t>(place)] == i + 1) {
        refuse(path, "places",
               "place " + std::to_string(place) + " of sample " + std::to_string(n.samples[i]) +
                   " is repeated or outside its " + "history of " + std::to_string(history));
      }
      seen_at[static_cast<std::size_t>(place)] = i + 1;
    }
  }
}

}  // namespace

void Neighbours::add(std::int32_t sample, const std::vector<std::int32_t>& sample_places,
                     const std::vector<float>& sample_scores) {
  RALLREC_CHECK(samples.empty() || sample > samples.back(), "samples must be ascending");
  RALLREC_CHECK(sample_places.size() == sample_scores.size(), "one score per place");
  samples.push_back(sample);
  places.insert(places.end(), sample_places.begin(), sample_places.end());
  scores.insert(scores.end(), sample_scores.begin(), sample_scores.end());
  offsets.push_back(static_cast<std::int64_t>(places.size()));
}

data::ArrayView<std::int32_t> Neighbours::of(std::int32_t sample) const {
  const auto found = std::lower_bound(samples.begin(), samples.end(), sample);
  RALLREC_CHECK(found != samples.end() && *found == sample,
                "sample " + std::to_string(sample) + " has no neighbours");
  return data::row_view(offsets, places, static_cast<std::size_t>(found - samples.begin()));
}

void save_neighbours(const std::string& path, const Neighbours& neighbours) {
  io::Hdf5Writer file(path);
  file.set_attribute("format", std::string(kFormat));
  file.set_attribute("version", kVersion);
  file.add("samples", neighbours.samples);
  file.add("offsets", neighbours.offsets);
  file.add("places", neighbours.places);
  file.add("scores", neighbours.scores);
  file.commit();
}

Neighbours load_neighbours(const std::string& path, const data::Dataset& dataset) {
  const io::Hdf5File file(path);
  if (file.string_attribute("format") != kFormat || file.int_attribute("version") != kVersion) {
    throw_bad_data(
        path, "is not a " + std::string(kFormat) + " file of version " + std::to_string(kVersion));
  }
  Neighbours neighbours;
  neighbours.samples = file.read<std::int32_t>("samples");
  neighbours.offsets = file.read<std::int64_t>("offsets");
  neighbours.places = file.read<std::int32_t>("places");
  neighbours.scores = file.read<float>("scores");
  check_samples(path, neighbours, dataset);
  check_offsets(path, neighbours);
  check_places(path, neighbours, dataset);
  return neighbours;
}

}  // namespace rallrec::retrieval
