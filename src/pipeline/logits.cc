#include "pipeline/logits.h"

#include <ATen/ops/isfinite.h>
#include <spdlog/spdlog.h>

#include <optional>

#include "core/error.h"
#include "io/jsonl.h"
#include "io/safetensors.h"
#include "models/llm/causal_lm.h"
#include "pipeline/load_model.h"
#include "train/packing.h"

namespace rallrec::pipeline {
namespace {

using Lines = std::vector<std::vector<std::int64_t>>;

Lines read_ids(const std::string& path, const models::llm::LlmConfig& config,
               const io::JsonlOptions& policy) {
  Lines lines;
  io::for_each_record(path, policy, [&](const io::JsonRecord& record) {
    std::vector<std::int64_t> ids = record.get_ints("ids");
    const auto length = static_cast<std::int64_t>(ids.size());
    if (length == 0 || length > config.max_position) {
      record.fail("ids", "expected 1 to " + std::to_string(config.max_position) + " ids, found " +
                             std::to_string(length));
    }
    for (std::int64_t id : ids) {
      if (id < 0 || id >= config.vocab_size) {
        record.fail("ids", "id " + std::to_string(id) + " is outside 0 to " +
                               std::to_string(config.vocab_size - 1));
      }
    }
    lines.push_back(std::move(ids));
  });
  return lines;
}

// Logits at the last position of lines [begin, end), as one packed batch.
at::Tensor batch_logits(models::llm::CausalLm& model, const models::llm::LoraAdapter* adapter,
                        const Lines& lines, std::int64_t begin, std::int64_t end) {
  models::llm::PackedBatch batch;
  batch.offsets.push_back(0);
  std::vector<std::int64_t> last;
  for (std::int64_t i = begin; i < end; ++i) {
    const auto& ids = lines[static_cast<std::size_t>(i)];
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
    batch.offsets.push_back(batch.tokens());
    last.push_back(batch.tokens() - 1);
  }
  return model.logits(model.hidden_states_at(batch, last, adapter));
}

struct Plan {
  std::vector<std::int64_t> cuts;   // batch b is lines [cuts[b], cuts[b + 1])
  std::vector<std::int64_t> parts;  // rank r has batches [parts[r], parts[r + 1])

  std::int64_t first(int rank) const {
    return cuts[static_cast<std::size_t>(parts[static_cast<std::size_t>(rank)])];
  }
};

Plan make_plan(const Lines& lines, std::int64_t token_budget, int ranks) {
  std::vector<std::int64_t> lengths;
  for (const auto& ids : lines) {
    lengths.push_back(static_cast<std::int64_t>(ids.size()));
  }
  Plan plan{train::pack_in_order(lengths, token_budget), {}};
  const std::vector<double> costs(plan.cuts.size() - 1, 1.0);
  plan.parts = train::split_by_cost(costs, ranks);
  return plan;
}

}  // namespace

void write_logits(const ModelFiles& files, const config::Options& options,
                  distributed::Communicator& communicator) {
  const models::llm::LlmConfig config = models::llm::read_llm_config(files.model);
  const auto adapter = load_adapter(files.adapter, files.model);
  const int rank = communicator.rank();
  const Lines lines = read_ids(
      files.input, config, io::with_bad_rows(files.input, options.data.max_bad_rows, rank == 0));
  const auto model = load_model(files.model, options.model.quant, options, communicator);
  const Plan plan = make_plan(lines, options.infer.token_budget, communicator.size());
  const std::int64_t vocabulary = config.vocab_size;
  const at::Tensor mine =
      at::empty({plan.first(rank + 1) - plan.first(rank), vocabulary}, at::kFloat);
  for (std::int64_t b = plan.parts[static_cast<std::size_t>(rank)];
       b < plan.parts[static_cast<std::size_t>(rank) + 1]; ++b) {
    const std::int64_t begin = plan.cuts[static_cast<std::size_t>(b)];
    const std::int64_t end = plan.cuts[static_cast<std::size_t>(b) + 1];
    mine.narrow(0, begin - plan.first(rank), end - begin)
        .copy_(batch_logits(*model, adapter ? &*adapter : nullptr, lines, begin, end));
  }
  model->join_others();
  std::vector<std::size_t> counts;
  for (int r = 0; r < communicator.size(); ++r) {
    counts.push_back(static_cast<std::size_t>((plan.first(r + 1) - plan.first(r)) * vocabulary));
  }
  const auto rows = static_cast<std::int64_t>(lines.size());
  const at::Tensor all = at::empty({rank == 0 ? rows : 0, vocabulary}, at::kFloat);
  communicator.gather_v(mine.data_ptr<float>(), all.data_ptr<float>(), counts,
                        distributed::DType::kFloat32, 0);
  if (rank == 0) {
    if (!at::isfinite(all).all().item<bool>()) {
      throw Error(ExitCode::kNonFinite,
                  files.input +
                      ": the model's logits are not finite; check the weights and the "
                      "adapter, or choose another --quant");
    }
    io::write_safetensors(
        files.output,
        {{"logits", io::TensorType::kF32, {rows, vocabulary}, all.data_ptr<float>()}});
    spdlog::info("logits of {} lines in {}", rows, files.output);
  }
  communicator.barrier();
}

}  // namespace rallrec::pipeline
