#include "models/llm/head_rows.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/check.h"
#include "kernels/embedding_gather.h"

namespace rallrec::models::llm {
namespace {

constexpr std::int64_t kRowsPerRead = 4096;

bool fits_bfloat16(const at::Tensor& values) {
  const float* from = values.const_data_ptr<float>();
  std::uint32_t lower = 0;
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, from + i, sizeof(bits));
    lower |= bits & 0xffffU;
  }
  return lower == 0;
}

// to[i, v] = from[v, i]: logits come transposed.
void turn(const float* from, std::int64_t width, std::int64_t rows, std::int64_t columns,
          float* to) {
  constexpr std::int64_t kTile = 64;
  for (std::int64_t begin = 0; begin < columns; begin += kTile) {
    const std::int64_t end = std::min(columns, begin + kTile);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t v = begin; v < end; ++v) {
        to[i * columns + v] = from[v * width + i];
      }
    }
  }
}

}  // namespace

at::Tensor load_table_rows(const TensorSource& source, const std::string& name,
                           const LlmConfig& config, RowRange rows) {
  const std::vector<std::int64_t> shape = {config.vocab_size, config.hidden_size};
  // Asked for also where nothing is kept: each rank checks that the table is there.
  source(name, shape, {0, 0});
  at::Tensor table = at::empty({rows.count, config.hidden_size}, at::kBFloat16);
  for (std::int64_t begin = 0; begin < rows.count; begin += kRowsPerRead) {
    const std::int64_t count = std::min(kRowsPerRead, rows.count - begin);
    const at::Tensor part = source(name, shape, {rows.first + begin, count}).contiguous();
    if (table.scalar_type() == at::kBFloat16 && !fits_bfloat16(part)) {
      table = table.to(at::kFloat);
    }
    table.narrow(0, begin, count).copy_(part);
  }
  return table;
}

void gather_rows_of(const at::Tensor& table, const std::vector<std::int64_t>& ids, const Rows& y) {
  const auto count = static_cast<std::int64_t>(ids.size());
  const bool is_bfloat16 = table.scalar_type() == at::kBFloat16;
  RALLREC_CHECK(y.rows == count && y.columns == table.size(1) && table.is_contiguous() &&
                    (is_bfloat16 || table.scalar_type() == at::kFloat),
                "gather_rows_of: a table of another shape or type");
  kernels::embedding_gather(
      {}, is_bfloat16 ? kernels::TableType::kBfloat16 : kernels::TableType::kFloat32,
      table.const_data_ptr(), table.size(0), table.size(1), ids.data(), count, y.data);
}

kernels::HeadPart head_part(const at::Tensor& rows, std::int64_t vocabulary,
                            std::int64_t first_block, std::int64_t last_block) {
  kernels::HeadPart part;
  if (rows.scalar_type() == at::kFloat) {
    part.fp32 = rows.const_data_ptr<float>();
  } else {
    part.bf16 = reinterpret_cast<const std::uint16_t*>(rows.const_data_ptr());
  }
  part.vocabulary = vocabulary;
  part.hidden = rows.size(1);
  part.first_block = first_block;
  part.last_block = last_block;
  return part;
}

void part_logits(const kernels::HeadPart& part, const Rows& hidden, const Rows& logits) {
  std::vector<float> chunk(static_cast<std::size_t>(
      part.rows() * kernels::head_width(std::min(hidden.rows, kernels::kHeadRows))));
  for (std::int64_t begin = 0; begin < hidden.rows; begin += kernels::kHeadRows) {
    const std::int64_t count = std::min(kernels::kHeadRows, hidden.rows - begin);
    kernels::head_logits({}, part, count, hidden.part(begin, count).data, nullptr, chunk.data(),
                         nullptr);
    turn(chunk.data(), kernels::head_width(count), count, part.rows(),
         logits.part(begin, count).data);
  }
}

}  // namespace rallrec::models::llm
