#include "pipeline/text_embedder.h"

#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "distributed/flight_marks.h"
#include "logging/progress.h"
#include "train/packing.h"

namespace rallrec::pipeline {
namespace {

using Texts = std::vector<std::vector<std::int64_t>>;

kernels::Pooling pooling_of(const config::EmbedOptions& options) {
  if (options.pooling == "mean") {
    return kernels::Pooling::kMean;
  }
  if (options.pooling == "last") {
    return kernels::Pooling::kLast;
  }
  throw_usage("embed.pooling is '" + options.pooling + "': expected mean or last");
}

// What every rank knows of the work: texts in packing order, batch b being the places
// [cuts[b], cuts[b + 1]), rank r having the batches [parts[r], parts[r + 1]).
struct Plan {
  std::vector<std::size_t> order;
  std::vector<std::int64_t> cuts;
  std::vector<std::int64_t> parts;

  std::int64_t first(int rank) const {
    return cuts[static_cast<std::size_t>(parts[static_cast<std::size_t>(rank)])];
  }
};

Plan make_plan(const Texts& texts, std::int64_t token_budget, const models::llm::LlmConfig& config,
               int ranks) {
  Plan plan;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].empty()) {
      plan.order.push_back(i);
    }
  }
  std::stable_sort(plan.order.begin(), plan.order.end(), [&texts](std::size_t a, std::size_t b) {
    return texts[a].size() > texts[b].size();
  });
  std::vector<std::int64_t> lengths;
  for (std::size_t i : plan.order) {
    lengths.push_back(static_cast<std::int64_t>(texts[i].size()));
  }
  plan.cuts = train::pack_in_order(lengths, token_budget);
  const train::PackingCost cost = train::packing_cost(config);
  std::vector<double> costs;
  for (std::size_t b = 0; b + 1 < plan.cuts.size(); ++b) {
    double sum = 0.0;
    for (std::int64_t i = plan.cuts[b]; i < plan.cuts[b + 1]; ++i) {
      sum += cost.of(lengths[static_cast<std::size_t>(i)]);
    }
    costs.push_back(sum);
  }
  plan.parts = train::split_by_cost(costs, ranks);
  return plan;
}

models::llm::PackedBatch batch_of(const Plan& plan, const Texts& texts, std::size_t batch) {
  models::llm::PackedBatch packed;
  packed.offsets.push_back(0);
  for (std::int64_t i = plan.cuts[batch]; i < plan.cuts[batch + 1]; ++i) {
    const auto& ids = texts[plan.order[static_cast<std::size_t>(i)]];
    packed.ids.insert(packed.ids.end(), ids.begin(), ids.end());
    packed.offsets.push_back(packed.tokens());
  }
  return packed;
}

// This rank's vectors in packing order.
at::Tensor run_batches(models::llm::CausalLm& model, const Texts& texts, const Plan& plan,
                       const config::EmbedOptions& options, int rank) {
  const kernels::Pooling pooling = pooling_of(options);
  const std::int64_t first = plan.first(rank);
  const std::int64_t mine = plan.first(rank + 1) - first;
  at::Tensor rows = at::empty({mine, model.config().hidden_size}, at::kFloat);
  logging::Progress progress("embed", "texts", mine);
  for (std::int64_t b = plan.parts[static_cast<std::size_t>(rank)];
       b < plan.parts[static_cast<std::size_t>(rank) + 1]; ++b) {
    const auto batch = static_cast<std::size_t>(b);
    const models::llm::PackedBatch packed = batch_of(plan, texts, batch);
    rows.narrow(0, plan.cuts[batch] - first, packed.sequences())
        .copy_(model.pooled_states(packed, pooling, nullptr));
    progress.advance(packed.sequences());
  }
  model.join_others();
  return rows;
}

}  // namespace

at::Tensor embed_texts(models::llm::CausalLm& model, const Texts& texts,
                       const config::EmbedOptions& options,
                       distributed::Communicator& communicator) {
  const std::int64_t hidden = model.config().hidden_size;
  const Plan plan = make_plan(texts, options.token_budget, model.config(), communicator.size());
  const at::Tensor mine = run_batches(model, texts, plan, options, communicator.rank());
  distributed::mark_phase(distributed::Phase::kData);
  std::vector<std::size_t> counts;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    counts.push_back(static_cast<std::size_t>((plan.first(rank + 1) - plan.first(rank)) * hidden));
  }
  const bool is_root = communicator.rank() == 0;
  const auto filled = static_cast<std::int64_t>(plan.order.size());
  const at::Tensor packed = at::empty({is_root ? filled : 0, hidden}, at::kFloat);
  communicator.gather_v(mine.data_ptr<float>(), packed.data_ptr<float>(), counts,
                        distributed::DType::kFloat32, 0);
  at::Tensor result =
      at::zeros({is_root ? static_cast<std::int64_t>(texts.size()) : 0, hidden}, at::kFloat);
  if (!at::isfinite(packed).all().item<bool>()) {
    throw Error(ExitCode::kNonFinite,
                "a text's hidden states are not finite; check the model's weights, or choose "
                "another --quant");
  }
  for (std::int64_t i = 0; i < packed.size(0); ++i) {
    result[static_cast<std::int64_t>(plan.order[static_cast<std::size_t>(i)])].copy_(packed[i]);
  }
  return result;
}

std::vector<std::int64_t> bare_text_ids(const text::Tokenizer& tokenizer, const std::string& text) {
  std::vector<std::int64_t> ids;
  if (text.empty()) {
    return ids;
  }
  if (tokenizer.adds_bos()) {
    ids.push_back(*tokenizer.bos_id());
  }
  tokenizer.encode(text, ids);
  return ids;
}

}  // namespace rallrec::pipeline
