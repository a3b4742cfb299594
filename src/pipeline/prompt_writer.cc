#include "pipeline/prompt_writer.h"

#include <algorithm>
#include <memory>

#include "core/check.h"
#include "distributed/joint_error.h"
#include "distributed/partition.h"
#include "io/json_writer.h"

namespace rallrec::pipeline {
namespace {

// Prompts gathered at a time: bounds what rank 0 holds to some ten megabytes.
constexpr std::size_t kBlock = 8192;

}  // namespace

std::vector<PromptTask> tasks_of(const std::vector<std::int32_t>& samples,
                                 const std::vector<text::View>& views) {
  std::vector<PromptTask> tasks;
  tasks.reserve(samples.size() * views.size());
  for (const std::int32_t sample : samples) {
    for (const text::View view : views) {
      tasks.push_back({sample, view});
    }
  }
  return tasks;
}

std::string PromptWriter::line(const PromptTask& task) {
  std::vector<std::int32_t> similar;
  if (uses_retrieval(task.view)) {
    RALLREC_CHECK(neighbours_ != nullptr, "a view with retrieval needs neighbours");
    const data::ArrayView<std::int32_t> places = neighbours_->of(task.sample);
    similar.assign(places.begin(), places.end());
  }
  const Prompt prompt = builder_.build(task.sample, task.view, similar);
  ++mine_.prompts;
  mine_.tokens += prompt.tokens;
  mine_.longest = std::max(mine_.longest, prompt.tokens);
  mine_.shortened += prompt.dropped > 0 ? 1 : 0;
  mine_.dropped += prompt.dropped;
  const std::uint8_t label = dataset_.samples.label[static_cast<std::size_t>(task.sample)];
  io::JsonObjectWriter object;
  if (!system_.empty()) {
    object.add("system", system_);
  }
  object.add("input", prompt.input)
      .add("output", answer_of(label))
      .add("label", static_cast<int>(label))
      .add("user", dataset_.users.name(dataset_.sample_user(task.sample)))
      .add("item", dataset_.items.name(dataset_.sample_item(task.sample)));
  if (dataset_.interactions.has_timestamps()) {
    object.add("timestamp", dataset_.sample_timestamp(task.sample));
  }
  object.add("sample", task.sample).add("view", text::view_name(task.view));
  return object.text();
}

std::string PromptWriter::gather(const std::string& mine) {
  const auto ranks = static_cast<std::size_t>(communicator_.size());
  const auto size = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> sizes(ranks);
  communicator_.all_gather(&size, sizes.data(), 1, distributed::DType::kInt64);
  const std::vector<std::size_t> counts(sizes.begin(), sizes.end());
  std::size_t total = 0;
  for (const std::size_t count : counts) {
    total += count;
  }
  std::string all(communicator_.rank() == 0 ? total : 0, '\0');
  communicator_.gather_v(mine.data(), all.data(), counts, distributed::DType::kUInt8, 0);
  return all;
}

void PromptWriter::write(const std::string& path, const std::vector<PromptTask>& tasks) {
  std::unique_ptr<io::AtomicFile> file;
  distributed::run_on_rank_0(communicator_, [&] { file = std::make_unique<io::AtomicFile>(path); });
  for (std::size_t begin = 0; begin < tasks.size(); begin += kBlock) {
    const std::size_t count = std::min(kBlock, tasks.size() - begin);
    const distributed::Range part =
        distributed::split_evenly(count, communicator_.size(), communicator_.rank());
    std::string lines;
    distributed::run_jointly(communicator_, [&] {
      for (std::size_t i = part.begin; i < part.end; ++i) {
        lines += line(tasks[begin + i]) + "\n";
      }
    });
    const std::string all = gather(lines);
    distributed::run_on_rank_0(communicator_, [&] { file->write(all); });
  }
  distributed::run_on_rank_0(communicator_, [&] { file->commit(); });
}

PromptTotals PromptWriter::totals() {
  std::int64_t sums[] = {mine_.prompts, mine_.tokens, mine_.shortened, mine_.dropped};
  std::int64_t longest = mine_.longest;
  communicator_.all_reduce(sums, 4, distributed::DType::kInt64);
  communicator_.all_reduce(&longest, 1, distributed::DType::kInt64, distributed::ReduceOp::kMax);
  return {sums[0], sums[1], longest, sums[2], sums[3]};
}

}  // namespace rallrec::pipeline
