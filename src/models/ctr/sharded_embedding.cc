#include "models/ctr/sharded_embedding.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "kernels/segment_sum.h"

namespace rallrec::models::ctr {
namespace {

using distributed::DType;

std::size_t sum_of(const std::vector<std::size_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

}  // namespace

// The golden section of the rows sends neighbours far apart.
RowPlaces::RowPlaces(std::int64_t rows, int ranks)
    : rows_(rows),
      ranks_(ranks),
      factor_(
          std::max<std::int64_t>(1, static_cast<std::int64_t>(0.618 * static_cast<double>(rows)))) {
  while (std::gcd(factor_, rows_) != 1) {
    ++factor_;
  }
}

ShardedEmbedding::ShardedEmbedding(std::int64_t rows, std::int64_t width,
                                   distributed::Communicator& communicator)
    : rows_(rows), width_(width), communicator_(communicator), places_(rows, communicator.size()) {
  RALLREC_CHECK(rows > 0 && rows <= std::numeric_limits<std::int32_t>::max() && width > 0,
                "ShardedEmbedding: bad size");
  const std::int64_t own = places_.rows_of(communicator.rank());
  values_.resize(static_cast<std::size_t>(own * width));
  group_of_.assign(static_cast<std::size_t>(own), -1);
}

void ShardedEmbedding::fill(const std::function<void(std::int64_t row, float* values)>& set) {
  for (std::int64_t row = 0; row < rows_; ++row) {
    if (places_.owner(row) == communicator_.rank()) {
      set(row, values_.data() + places_.place(row) * width_);
    }
  }
}

ShardedEmbedding::Routes ShardedEmbedding::routes_of(const std::vector<std::int32_t>& rows) const {
  const auto ranks = static_cast<std::size_t>(communicator_.size());
  Routes routes;
  routes.counts.resize(ranks);
  for (const std::int32_t row : rows) {
    ++routes.counts[static_cast<std::size_t>(places_.owner(row))];
  }
  std::vector<std::size_t> next(ranks);
  std::exclusive_scan(routes.counts.begin(), routes.counts.end(), next.begin(), std::size_t{0});
  routes.order.resize(rows.size());
  routes.places.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t to = next[static_cast<std::size_t>(places_.owner(rows[i]))]++;
    routes.order[to] = static_cast<std::int64_t>(i);
    routes.places[to] = static_cast<std::int32_t>(places_.place(rows[i]));
  }
  return routes;
}

ShardedEmbedding::Asked ShardedEmbedding::exchange_places(const Routes& routes) {
  const auto ranks = static_cast<std::size_t>(communicator_.size());
  const std::vector<std::int64_t> mine(routes.counts.begin(), routes.counts.end());
  std::vector<std::int64_t> theirs(ranks);
  communicator_.all_to_all(mine.data(), theirs.data(), 1, DType::kInt64);
  Asked asked;
  asked.counts.assign(theirs.begin(), theirs.end());
  asked.places.resize(sum_of(asked.counts));
  communicator_.all_to_all_v(routes.places.data(), routes.counts, asked.places.data(), asked.counts,
                             DType::kInt32);
  return asked;
}

std::vector<std::size_t> ShardedEmbedding::in_floats(const std::vector<std::size_t>& counts) const {
  std::vector<std::size_t> floats;
  for (const std::size_t count : counts) {
    floats.push_back(count * static_cast<std::size_t>(width_));
  }
  return floats;
}

void ShardedEmbedding::gather_rows(const float* from, const std::vector<std::int64_t>& order,
                                   float* to) const {
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(from + order[i] * width_, width_, to + static_cast<std::int64_t>(i) * width_);
  }
}

void ShardedEmbedding::lookup(const std::vector<std::int32_t>& rows, std::vector<float>& found) {
  const auto width = static_cast<std::size_t>(width_);
  const Routes routes = routes_of(rows);
  const Asked asked = exchange_places(routes);
  sent_.resize(asked.places.size() * width);
  gather_rows(values_.data(), {asked.places.begin(), asked.places.end()}, sent_.data());
  received_.resize(rows.size() * width);
  communicator_.all_to_all_v(sent_.data(), in_floats(asked.counts), received_.data(),
                             in_floats(routes.counts), DType::kFloat32);
  found.resize(rows.size() * width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(received_.data() + i * width, width_, found.data() + routes.order[i] * width_);
  }
}

void ShardedEmbedding::reduce(const std::vector<std::int32_t>& rows,
                              const std::vector<float>& gradients, Gradients& own) {
  const auto width = static_cast<std::size_t>(width_);
  RALLREC_CHECK(gradients.size() == rows.size() * width,
                "ShardedEmbedding: the gradients do not fit the rows");
  const Routes routes = routes_of(rows);
  const Asked asked = exchange_places(routes);
  sent_.resize(rows.size() * width);
  gather_rows(gradients.data(), routes.order, sent_.data());
  received_.resize(asked.places.size() * width);
  communicator_.all_to_all_v(sent_.data(), in_floats(routes.counts), received_.data(),
                             in_floats(asked.counts), DType::kFloat32);
  add_by_place(asked.places, received_, own);
}

// Groups the entries by counting, then sums each group in its order.
void ShardedEmbedding::add_by_place(const std::vector<std::int32_t>& places,
                                    const std::vector<float>& gradients, Gradients& own) {
  own.places.clear();
  std::vector<std::int64_t> group(places.size());
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::int64_t& at = group_of_[static_cast<std::size_t>(places[i])];
    if (at < 0) {
      at = static_cast<std::int64_t>(own.places.size());
      own.places.push_back(places[i]);
      sizes.push_back(0);
    }
    group[i] = at;
    ++sizes[static_cast<std::size_t>(at)];
  }
  for (const std::int64_t place : own.places) {
    group_of_[static_cast<std::size_t>(place)] = -1;
  }
  kernels::RowGroups groups;
  groups.rows.resize(own.places.size());
  std::iota(groups.rows.begin(), groups.rows.end(), std::int64_t{0});
  groups.offsets.assign(1, 0);
  std::partial_sum(sizes.begin(), sizes.end(), std::back_inserter(groups.offsets));
  groups.members.resize(places.size());
  std::vector<std::int64_t> next(groups.offsets.begin(), groups.offsets.end() - 1);
  for (std::size_t i = 0; i < places.size(); ++i) {
    groups.members[static_cast<std::size_t>(next[static_cast<std::size_t>(group[i])]++)] =
        static_cast<std::int64_t>(i);
  }
  own.sums.assign(own.places.size() * static_cast<std::size_t>(width_), 0.0F);
  kernels::segment_sum({},
                       {static_cast<std::int64_t>(own.places.size()), groups.rows.data(),
                        groups.offsets.data(), groups.members.data()},
                       width_, gradients.data(), own.sums.data());
}

}  // namespace rallrec::models::ctr
