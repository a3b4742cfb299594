#include "train/packing.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>
#include <utility>

#include "core/check.h"

namespace rallrec::train {
namespace {

struct Bin {
  std::vector<std::int64_t> members;
  std::int64_t tokens = 0;
  double cost = 0.0;
};

std::vector<std::int64_t> longest_first(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return lengths[a] > lengths[b]; });
  return order;
}

// Bins by cost, equal ones by index: a step over a thousand ranks has tens of thousands.
using ByCost = std::set<std::pair<double, std::size_t>>;

ByCost::iterator cheapest_with_room(const ByCost& by_cost, const std::vector<Bin>& bins,
                                    std::int64_t tokens, std::int64_t budget) {
  return std::find_if(by_cost.begin(), by_cost.end(), [&](const auto& entry) {
    const Bin& bin = bins[entry.second];
    return bin.tokens == 0 || bin.tokens + tokens <= budget;
  });
}

bool try_pack(const std::vector<std::int64_t>& lengths, const std::vector<std::int64_t>& order,
              std::int64_t budget, const PackingCost& cost, std::vector<Bin>& bins) {
  ByCost by_cost;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    by_cost.emplace_hint(by_cost.end(), 0.0, i);
  }
  for (const std::int64_t index : order) {
    const auto cheapest = cheapest_with_room(by_cost, bins, lengths[index], budget);
    if (cheapest == by_cost.end()) {
      return false;
    }
    const std::size_t chosen = cheapest->second;
    by_cost.erase(cheapest);
    bins[chosen].members.push_back(index);
    bins[chosen].tokens += lengths[index];
    bins[chosen].cost += cost.of(lengths[index]);
    by_cost.emplace(bins[chosen].cost, chosen);
  }
  return true;
}

// No bin holds more than k of the prompts that are longer than the (k + 1)-th part of the budget.
std::int64_t fewest_by_length(const std::vector<std::int64_t>& lengths,
                              const std::vector<std::int64_t>& order, std::int64_t budget) {
  std::int64_t fewest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::int64_t length = std::max<std::int64_t>(1, lengths[order[i]]);
    const std::int64_t together = std::max<std::int64_t>(1, budget / length);
    const auto as_long = static_cast<std::int64_t>(i) + 1;
    fewest = std::max(fewest, (as_long + together - 1) / together);
  }
  return fewest;
}

// The fewest bins that could hold the tokens, rounded up to the multiple.
std::int64_t first_bin_count(const std::vector<std::int64_t>& lengths,
                             const std::vector<std::int64_t>& order, std::int64_t budget) {
  const std::int64_t tokens = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  const std::int64_t fewest = std::max<std::int64_t>(
      {1, (tokens + budget - 1) / budget, fewest_by_length(lengths, order, budget)});
  const std::int64_t groups = (fewest + kMicroBatchMultiple - 1) / kMicroBatchMultiple;
  // A single prompt longer than the budget may push the bound past one bin per prompt.
  const auto prompts = static_cast<std::int64_t>(lengths.size());
  const std::int64_t most =
      std::max<std::int64_t>(1, (prompts + kMicroBatchMultiple - 1) / kMicroBatchMultiple);
  return std::min(groups, most) * kMicroBatchMultiple;
}

// Bins are filled heaviest first. They are dealt to the eighths of the list so that 2 and 4 ranks
// get turns there and back (the heaviest with the lightest), and 2, 4 or 8 ranks get equal shares
// even of a step with fewer than eight prompts, whose last bins are empty.
std::size_t place_of(std::size_t bin, std::size_t bins) {
  constexpr std::size_t kEighth[] = {0, 4, 6, 2, 3, 7, 5, 1};
  static_assert(std::size(kEighth) == kMicroBatchMultiple);
  return kEighth[bin % kMicroBatchMultiple] * (bins / kMicroBatchMultiple) +
         bin / kMicroBatchMultiple;
}

}  // namespace

double PackingCost::of(std::int64_t tokens) const {
  const auto n = static_cast<double>(tokens);
  return n * per_token + n * n * per_token_pair;
}

PackingCost packing_cost(const models::llm::LlmConfig& config) {
  const auto hidden = static_cast<double>(config.hidden_size);
  const auto query = static_cast<double>(config.heads * config.head_dim);
  const auto key = static_cast<double>(config.kv_heads * config.head_dim);
  const auto inner = static_cast<double>(config.intermediate_size);
  return {hidden * (2.0 * query + 2.0 * key + 3.0 * inner), query};
}

std::vector<std::vector<std::int64_t>> pack_balanced(const std::vector<std::int64_t>& lengths,
                                                     std::int64_t token_budget,
                                                     const PackingCost& cost) {
  RALLREC_CHECK(token_budget > 0, "pack_balanced: the token budget must be positive");
  const std::vector<std::int64_t> order = longest_first(lengths);
  std::int64_t count = first_bin_count(lengths, order, token_budget);
  std::vector<Bin> bins(count);
  while (!try_pack(lengths, order, token_budget, cost, bins)) {
    count += kMicroBatchMultiple;
    bins.assign(count, Bin{});
  }
  std::vector<std::vector<std::int64_t>> micro_batches(bins.size());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    std::sort(bins[i].members.begin(), bins[i].members.end());
    micro_batches[place_of(i, bins.size())] = std::move(bins[i].members);
  }
  return micro_batches;
}

std::vector<std::int64_t> pack_in_order(const std::vector<std::int64_t>& lengths,
                                        std::int64_t token_budget) {
  RALLREC_CHECK(token_budget > 0, "pack_in_order: the token budget must be positive");
  std::vector<std::int64_t> cuts = {0};
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    if (index > cuts.back() && tokens + lengths[i] > token_budget) {
      cuts.push_back(index);
      tokens = 0;
    }
    tokens += lengths[i];
  }
  if (!lengths.empty()) {
    cuts.push_back(static_cast<std::int64_t>(lengths.size()));
  }
  return cuts;
}

std::vector<std::int64_t> split_by_cost(const std::vector<double>& costs, std::int64_t parts) {
  RALLREC_CHECK(parts > 0, "split_by_cost: there must be at least one part");
  const double total = std::accumulate(costs.begin(), costs.end(), 0.0);
  std::vector<std::int64_t> cuts = {0};
  double taken = 0.0;
  std::size_t next = 0;
  for (std::int64_t part = 1; part < parts; ++part) {
    const double target = total * static_cast<double>(part) / static_cast<double>(parts);
    // An item belongs to the part in which its middle lies.
    while (next < costs.size() && taken + 0.5 * costs[next] < target) {
      taken += costs[next++];
    }
    cuts.push_back(static_cast<std::int64_t>(next));
  }
  cuts.push_back(static_cast<std::int64_t>(costs.size()));
  return cuts;
}

}  // namespace rallrec::train
