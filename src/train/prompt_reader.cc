#include "train/prompt_reader.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/parallel_for.h"
#include "distributed/flight_marks.h"
#include "distributed/joint_error.h"
#include "distributed/partition.h"
#include "io/jsonl.h"

namespace rallrec::train {
namespace {

constexpr std::size_t kBlock = 512;  // records parsed before they are tokenised in parallel

// One rank's part of the file, as it travels to the others.
struct Part {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> places;  // the kPlaceFields of each prompt
  std::vector<std::int64_t> shown;   // of all prompts, one after the other
  std::int64_t shortened = 0;
};
// Tokens, first label, number of shown answers, line.
constexpr std::size_t kPlaceFields = 4;

void append(const EncodedPrompt& prompt, const io::JsonRecord& record, Part& part) {
  part.ids.insert(part.ids.end(), prompt.ids.begin(), prompt.ids.end());
  part.places.insert(
      part.places.end(),
      {static_cast<std::int64_t>(prompt.ids.size()), prompt.first_label,
       static_cast<std::int64_t>(prompt.shown.size()), static_cast<std::int64_t>(record.line())});
  part.shown.insert(part.shown.end(), prompt.shown.begin(), prompt.shown.end());
  part.shortened += prompt.shortened ? 1 : 0;
}

Part encode_part(io::JsonlFile& file, distributed::Range range, const PromptEncoder& encoder) {
  Part part;
  for (std::size_t begin = range.begin; begin < range.end; begin += kBlock) {
    const std::size_t end = std::min(range.end, begin + kBlock);
    std::vector<io::JsonRecord> records;
    for (std::size_t i = begin; i < end; ++i) {
      records.push_back(file.read(static_cast<std::int64_t>(i)));
    }
    std::vector<EncodedPrompt> prompts(records.size());
    parallel_for(static_cast<std::int64_t>(records.size()), 16,
                 [&](std::int64_t first, std::int64_t last) {
                   for (std::int64_t i = first; i < last; ++i) {
                     prompts[i] = encoder.encode(records[i]);
                   }
                 });
    for (std::size_t i = 0; i < records.size(); ++i) {
      append(prompts[i], records[i], part);
    }
  }
  return part;
}

template <typename Item>
std::vector<Item> gather(const std::vector<Item>& mine, distributed::DType dtype,
                         distributed::Communicator& communicator) {
  const auto count = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(&count, sizes.data(), 1, distributed::DType::kInt64);
  const std::vector<std::size_t> counts(sizes.begin(), sizes.end());
  std::size_t total = 0;
  for (const std::size_t size : counts) {
    total += size;
  }
  std::vector<Item> all(total);
  communicator.all_gather_v(mine.data(), all.data(), counts, dtype);
  return all;
}

PromptDataset merge(const std::string& path, const std::vector<std::int32_t>& ids,
                    const std::vector<std::int64_t>& places,
                    const std::vector<std::int64_t>& shown) {
  PromptDataset dataset(path);
  std::int64_t begin = 0;
  std::int64_t shown_begin = 0;
  for (std::size_t i = 0; i < places.size(); i += kPlaceFields) {
    const std::int64_t end = begin + places[i];
    const std::int64_t shown_end = shown_begin + places[i + 2];
    dataset.add({ids.begin() + begin, ids.begin() + end}, places[i + 1], places[i + 3],
                {shown.begin() + shown_begin, shown.begin() + shown_end});
    begin = end;
    shown_begin = shown_end;
  }
  return dataset;
}

}  // namespace

PromptDataset read_prompts(const std::string& path, const PromptEncoder& encoder,
                           std::int64_t max_bad_rows, distributed::Communicator& communicator) {
  const distributed::PhaseScope scope(distributed::Phase::kPrompts);
  const io::JsonlOptions options = io::with_bad_rows(path, max_bad_rows, communicator.rank() == 0);
  io::JsonlFile file(path, options, [&](const io::JsonRecord& record) { encoder.check(record); });
  if (file.size() == 0) {
    throw_bad_data(path,
                   "holds no prompt; expected lines {\"input\": …, \"output\": …} or "
                   "{\"messages\": […]}");
  }
  const distributed::Range range = distributed::split_evenly(
      static_cast<std::size_t>(file.size()), communicator.size(), communicator.rank());
  Part part;
  distributed::run_jointly(communicator, [&] { part = encode_part(file, range, encoder); });
  communicator.all_reduce(&part.shortened, 1, distributed::DType::kInt64);
  if (part.shortened > 0 && communicator.rank() == 0) {
    spdlog::warn("{}: {} of {} prompts were longer than prompt.cutoff and lost text", path,
                 part.shortened, file.size());
  }
  return merge(path, gather(part.ids, distributed::DType::kInt32, communicator),
               gather(part.places, distributed::DType::kInt64, communicator),
               gather(part.shown, distributed::DType::kInt64, communicator));
}

}  // namespace rallrec::train
