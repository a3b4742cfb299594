#include "models/ctr/sharded_embedding.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "kernels/embedding_gather.h"
#include "kernels/segment_sum.h"

namespace rallrec::models::ctr {
namespace {

using distributed::DType;

constexpr const char* kSetting = "baseline.embedding_size or baseline.batch_size";

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
                                   const distributed::Place& place)
    : rows_(rows),
      width_(width),
      place_(place),
      places_(rows, place.host.size()),
      values_(place.queue, kSetting),
      sent_(place.queue, kSetting),
      received_(place.queue, kSetting),
      order_(place.queue, kSetting),
      groups_(place.queue, kSetting) {
  RALLREC_CHECK(rows > 0 && rows <= std::numeric_limits<std::int32_t>::max() && width > 0,
                "ShardedEmbedding: bad size");
  const std::int64_t own = places_.rows_of(place.host.rank());
  values_.assign_zeros(static_cast<std::size_t>(own * width));
  group_of_.assign(static_cast<std::size_t>(own), -1);
}

void ShardedEmbedding::fill(const std::function<void(std::int64_t row, float* values)>& set) {
  std::vector<float> values(values_.size());
  for (std::int64_t row = 0; row < rows_; ++row) {
    if (places_.owner(row) == place_.host.rank()) {
      set(row, values.data() + places_.place(row) * width_);
    }
  }
  values_.assign(values);
}

ShardedEmbedding::Routes ShardedEmbedding::routes_of(const std::vector<std::int32_t>& rows) const {
  const auto ranks = static_cast<std::size_t>(place_.host.size());
  Routes routes;
  routes.counts.resize(ranks);
  for (const std::int32_t row : rows) {
    ++routes.counts[static_cast<std::size_t>(places_.owner(row))];
  }
  std::vector<std::size_t> next(ranks);
  std::exclusive_scan(routes.counts.begin(), routes.counts.end(), next.begin(), std::size_t{0});
  routes.order.resize(rows.size());
  routes.turned.resize(rows.size());
  routes.places.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t to = next[static_cast<std::size_t>(places_.owner(rows[i]))]++;
    routes.order[to] = static_cast<std::int64_t>(i);
    routes.turned[i] = static_cast<std::int64_t>(to);
    routes.places[to] = static_cast<std::int32_t>(places_.place(rows[i]));
  }
  return routes;
}

ShardedEmbedding::Asked ShardedEmbedding::exchange_places(const Routes& routes) {
  const auto ranks = static_cast<std::size_t>(place_.host.size());
  const std::vector<std::int64_t> mine(routes.counts.begin(), routes.counts.end());
  std::vector<std::int64_t> theirs(ranks);
  place_.host.all_to_all(mine.data(), theirs.data(), 1, DType::kInt64);
  Asked asked;
  asked.counts.assign(theirs.begin(), theirs.end());
  asked.places.resize(sum_of(asked.counts));
  place_.host.all_to_all_v(routes.places.data(), routes.counts, asked.places.data(), asked.counts,
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

void ShardedEmbedding::gather_rows(const float* from, std::int64_t rows,
                                   const std::vector<std::int64_t>& order, DeviceArray<float>& to) {
  order_.assign(order);
  to.resize(order.size() * static_cast<std::size_t>(width_));
  kernels::embedding_gather(place_.queue, kernels::TableType::kFloat32, from, rows, width_,
                            order_.data(), static_cast<std::int64_t>(order.size()), to.data());
}

void ShardedEmbedding::lookup(const std::vector<std::int32_t>& rows, DeviceArray<float>& found) {
  const Routes routes = routes_of(rows);
  if (alone()) {
    gather_rows(values_.data(), rows_, {routes.places.begin(), routes.places.end()}, found);
    return;
  }
  const Asked asked = exchange_places(routes);
  gather_rows(values_.data(), places_.rows_of(place_.host.rank()),
              {asked.places.begin(), asked.places.end()}, sent_);
  received_.resize(rows.size() * static_cast<std::size_t>(width_));
  exchange_rows(asked.counts, routes.counts);
  gather_rows(received_.data(), static_cast<std::int64_t>(rows.size()), routes.turned, found);
}

// From sent_ to received_.
void ShardedEmbedding::exchange_rows(const std::vector<std::size_t>& send,
                                     const std::vector<std::size_t>& receive) {
  place_.device
      .all_to_all_v_async(sent_.data(), in_floats(send), received_.data(), in_floats(receive),
                          DType::kFloat32)
      .hold(place_.queue);
}

void ShardedEmbedding::reduce(const std::vector<std::int32_t>& rows, const float* gradients,
                              Gradients& own) {
  const Routes routes = routes_of(rows);
  if (alone()) {
    add_by_place(routes.places, gradients, own);
    return;
  }
  const Asked asked = exchange_places(routes);
  gather_rows(gradients, static_cast<std::int64_t>(rows.size()), routes.order, sent_);
  received_.resize(asked.places.size() * static_cast<std::size_t>(width_));
  exchange_rows(routes.counts, asked.counts);
  add_by_place(asked.places, received_.data(), own);
}

// Groups the entries by counting, then sums each group in its order.
void ShardedEmbedding::add_by_place(const std::vector<std::int32_t>& places, const float* gradients,
                                    Gradients& own) {
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
  const std::size_t count = own.places.size();
  std::vector<std::int64_t> groups(2 * count + 1 + places.size());
  const auto offsets = groups.begin() + static_cast<std::ptrdiff_t>(count);
  const auto members = offsets + static_cast<std::ptrdiff_t>(count) + 1;
  std::iota(groups.begin(), offsets, std::int64_t{0});
  std::partial_sum(sizes.begin(), sizes.end(), offsets + 1);
  std::vector<std::int64_t> next(offsets, members);
  for (std::size_t i = 0; i < places.size(); ++i) {
    members[next[static_cast<std::size_t>(group[i])]++] = static_cast<std::int64_t>(i);
  }
  groups_.assign(groups);
  own.sums.assign_zeros(count * static_cast<std::size_t>(width_));
  kernels::segment_sum(place_.queue,
                       {static_cast<std::int64_t>(count), groups_.data(), groups_.data() + count,
                        groups_.data() + 2 * count + 1},
                       width_, gradients, own.sums.data());
}

}  // namespace rallrec::models::ctr
