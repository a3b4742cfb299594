#include "models/llm/sharded_table.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"
#include "models/llm/head_rows.h"

namespace rallrec::models::llm {
namespace {

using distributed::DType;

std::size_t sum_of(const std::vector<std::size_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

// What every rank has for this one, from what this one has for each.
std::vector<std::size_t> exchange_counts(distributed::Communicator& communicator,
                                         const std::vector<std::size_t>& mine) {
  std::vector<std::int64_t> send(mine.begin(), mine.end());
  std::vector<std::int64_t> received(mine.size());
  communicator.all_to_all(send.data(), received.data(), 1, DType::kInt64);
  return {received.begin(), received.end()};
}

}  // namespace

std::vector<std::size_t> times(std::vector<std::size_t> counts, std::size_t factor) {
  for (std::size_t& count : counts) {
    count *= factor;
  }
  return counts;
}

ShardedTable::ShardedTable(const LlmConfig& config, const TensorSource& source,
                           const std::string& name, distributed::Communicator& communicator)
    : vocabulary_(config.vocab_size), communicator_(communicator) {
  const std::int64_t first = first_row(communicator.rank());
  rows_ =
      load_table_rows(source, name, config, {first, first_row(communicator.rank() + 1) - first});
  std::int64_t narrow = rows_.scalar_type() == at::kBFloat16 ? 1 : 0;
  communicator.all_reduce(&narrow, 1, DType::kInt64, distributed::ReduceOp::kMin);
  if (narrow == 0) {
    rows_ = rows_.to(at::kFloat);
  }
}

std::int64_t ShardedTable::first_block(int rank) const {
  return kernels::kVocabularyBlocks * rank / communicator_.size();
}

std::int64_t ShardedTable::first_row(int rank) const {
  return kernels::vocabulary_block_begin(vocabulary_, first_block(rank));
}

kernels::HeadPart ShardedTable::part() const {
  const int rank = communicator_.rank();
  return head_part(rows_, vocabulary_, first_block(rank), first_block(rank + 1));
}

std::vector<std::size_t> ShardedTable::count_by_owner(
    const std::vector<std::int64_t>& sorted_ids) const {
  std::vector<std::size_t> counts;
  auto begin = sorted_ids.begin();
  for (int rank = 0; rank < communicator_.size(); ++rank) {
    const auto end = std::lower_bound(begin, sorted_ids.end(), first_row(rank + 1));
    counts.push_back(static_cast<std::size_t>(end - begin));
    begin = end;
  }
  RALLREC_CHECK(begin == sorted_ids.end(), "an id is outside the vocabulary");
  return counts;
}

// Owners hold ascending ranges, so the rows arrive in the order of the sorted ids.
void ShardedTable::gather(const std::vector<std::int64_t>& ids, const Rows& y) const {
  std::vector<std::int64_t> unique = ids;
  std::sort(unique.begin(), unique.end());
  unique.erase(std::unique(unique.begin(), unique.end()), unique.end());
  const std::vector<std::size_t> wanted = count_by_owner(unique);
  const std::vector<std::size_t> asked = exchange_counts(communicator_, wanted);
  std::vector<std::int64_t> asked_ids(sum_of(asked));
  communicator_.all_to_all_v(unique.data(), wanted, asked_ids.data(), asked, DType::kInt64);

  const std::int64_t first = first_row(communicator_.rank());
  for (std::int64_t& id : asked_ids) {
    id -= first;
  }
  const at::Tensor given = rows_.index_select(0, at::tensor(asked_ids, at::kLong));
  const at::Tensor received =
      at::empty({static_cast<std::int64_t>(unique.size()), hidden()}, rows_.options());
  const auto row_bytes = static_cast<std::size_t>(hidden() * rows_.element_size());
  communicator_.all_to_all_v(given.const_data_ptr(), times(asked, row_bytes),
                             received.mutable_data_ptr(), times(wanted, row_bytes), DType::kUInt8);

  std::vector<std::int64_t> places;
  for (const std::int64_t id : ids) {
    places.push_back(std::lower_bound(unique.begin(), unique.end(), id) - unique.begin());
  }
  gather_rows_of(received, places, y);
}

}  // namespace rallrec::models::llm
