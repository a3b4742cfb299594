#include "models/llm/head_rows.h"

#include <algorithm>
#include <cstring>
#include <vector>

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

at::Tensor part_logits(const kernels::HeadPart& part, const at::Tensor& hidden) {
  const std::int64_t rows = hidden.size(0);
  const std::int64_t columns = part.rows();
  at::Tensor logits = at::empty({rows, columns}, hidden.options());
  std::vector<float> chunk(
      static_cast<std::size_t>(columns * kernels::head_width(std::min(rows, kernels::kHeadRows))));
  for (std::int64_t begin = 0; begin < rows; begin += kernels::kHeadRows) {
    const std::int64_t count = std::min(kernels::kHeadRows, rows - begin);
    kernels::head_logits({}, part, count, hidden.const_data_ptr<float>() + begin * part.hidden,
                         nullptr, chunk.data(), nullptr);
    turn(chunk.data(), kernels::head_width(count), count, columns,
         logits.data_ptr<float>() + begin * columns);
  }
  return logits;
}

}  // namespace rallrec::models::llm
