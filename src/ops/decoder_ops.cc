#include "ops/decoder_ops.h"

#include "core/check.h"
#include "kernels/embedding_gather.h"
#include "kernels/narrow_matmul.h"
#include "kernels/rms_norm.h"
#include "kernels/swi_glu.h"

namespace rallrec::ops {
namespace {

constexpr Queue kCpuQueue{};

float* data(const at::Tensor& x) {
  RALLREC_CHECK(x.scalar_type() == at::kFloat && x.is_contiguous(),
                "decoder_ops: an operand is not a contiguous fp32 tensor");
  return x.data_ptr<float>();
}

float* data_or_null(const at::Tensor& x) { return x.defined() ? data(x) : nullptr; }

void check_rows(const at::Tensor& x, std::int64_t rows) {
  RALLREC_CHECK(!x.defined() || x.size(0) == rows, "decoder_ops: numbers of rows differ");
}

void check_same(const at::Tensor& x, const at::Tensor& y) {
  RALLREC_CHECK(x.sizes() == y.sizes(), "decoder_ops: shapes differ");
}

void check_sequences(const std::vector<kernels::AttentionSequence>& sequences, const at::Tensor& q,
                     const at::Tensor& k) {
  for (const kernels::AttentionSequence& s : sequences) {
    RALLREC_CHECK(s.query_begin + s.queries <= q.size(0) && s.key_begin + s.keys <= k.size(0),
                  "attention: a sequence leaves its matrix");
  }
}

}  // namespace

void rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& y,
              const at::Tensor& inverse_rms) {
  check_same(x, y);
  check_rows(inverse_rms, x.size(0));
  check_rows(weight, x.size(1));
  kernels::rms_norm(kCpuQueue, x.size(0), x.size(1), static_cast<float>(eps), data(x), data(weight),
                    data(y), data_or_null(inverse_rms));
}

void rms_norm_backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse_rms,
                       const at::Tensor& dy, const at::Tensor& residual, const at::Tensor& dx) {
  check_same(x, dy);
  check_same(x, dx);
  check_rows(residual, x.size(0));
  check_rows(inverse_rms, x.size(0));
  kernels::rms_norm_backward(kCpuQueue, x.size(0), x.size(1), data(x), data(weight),
                             data(inverse_rms), data(dy), data_or_null(residual), data(dx));
}

void rope(const at::Tensor& x, std::int64_t head_dim, const at::Tensor& positions,
          const at::Tensor& cosines, const at::Tensor& sines, kernels::RopeDirection direction) {
  check_rows(positions, x.size(0));
  check_same(cosines, sines);
  RALLREC_CHECK(x.size(1) % head_dim == 0 && cosines.size(1) * 2 == head_dim,
                "rope: head_dim does not fit");
  kernels::rope(kCpuQueue, x.size(0), x.size(1) / head_dim, head_dim,
                positions.data_ptr<std::int64_t>(), data(cosines), data(sines), direction, data(x));
}

void swi_glu(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& y) {
  check_same(gate, up);
  check_same(gate, y);
  kernels::swi_glu(kCpuQueue, gate.numel(), data(gate), data(up), data(y));
}

void swi_glu_backward(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& dy,
                      const at::Tensor& d_gate, const at::Tensor& d_up) {
  check_same(gate, up);
  check_same(gate, dy);
  check_same(gate, d_gate);
  check_same(gate, d_up);
  kernels::swi_glu_backward(kCpuQueue, gate.numel(), data(gate), data(up), data(dy), data(d_gate),
                            data(d_up));
}

void attention(const kernels::AttentionShape& shape,
               const std::vector<kernels::AttentionSequence>& sequences,
               const kernels::AttentionPrefix& prefix, const at::Tensor& q, const at::Tensor& k,
               const at::Tensor& v, const at::Tensor& o, const at::Tensor& lse) {
  check_same(q, o);
  check_same(k, v);
  check_sequences(sequences, q, k);
  kernels::attention(kCpuQueue, shape, sequences, prefix, data(q), data(k), data(v), data(o),
                     data_or_null(lse));
}

void attention_backward(const kernels::AttentionShape& shape,
                        const std::vector<kernels::AttentionSequence>& sequences,
                        const AttentionForward& forward, const at::Tensor& d_o,
                        const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv) {
  check_same(forward.q, d_o);
  check_same(forward.q, dq);
  check_same(forward.k, dk);
  check_same(forward.v, dv);
  check_sequences(sequences, forward.q, forward.k);
  kernels::attention_backward(kCpuQueue, shape, sequences, data(forward.q), data(forward.k),
                              data(forward.v), data(forward.o), data(forward.lse), data(d_o),
                              {data(dq), data(dk), data(dv)});
}

void embedding_gather(const at::Tensor& table, const std::vector<std::int64_t>& ids,
                      const at::Tensor& y) {
  const auto count = static_cast<std::int64_t>(ids.size());
  RALLREC_CHECK(y.size(0) == count && y.size(1) == table.size(1) && table.is_contiguous(),
                "embedding_gather: shapes differ");
  const bool is_bfloat16 = table.scalar_type() == at::kBFloat16;
  RALLREC_CHECK(is_bfloat16 || table.scalar_type() == at::kFloat,
                "embedding_gather: the table is neither fp32 nor bf16");
  kernels::embedding_gather(
      kCpuQueue, is_bfloat16 ? kernels::TableType::kBfloat16 : kernels::TableType::kFloat32,
      table.const_data_ptr(), table.size(0), table.size(1), ids.data(), count, data(y));
}

at::Tensor embedding_pool(const at::Tensor& x, const std::vector<std::int64_t>& offsets,
                          kernels::Pooling pooling) {
  RALLREC_CHECK(!offsets.empty() && offsets.back() == x.size(0),
                "embedding_pool: the offsets do not cover the rows");
  const auto sequences = static_cast<std::int64_t>(offsets.size()) - 1;
  at::Tensor y = at::empty({sequences, x.size(1)}, x.options());
  kernels::embedding_pool(kCpuQueue, pooling, sequences, offsets.data(), x.size(1), data(x),
                          data(y));
  return y;
}

void dropout_mask(const kernels::DropoutStream& stream, double rate,
                  const std::vector<std::int64_t>& samples,
                  const std::vector<std::int64_t>& offsets, const at::Tensor& tokens,
                  std::int64_t channels, const at::Tensor& mask) {
  RALLREC_CHECK(mask.scalar_type() == at::kByte && mask.is_contiguous() &&
                    mask.size(0) == offsets.back() &&
                    mask.size(1) == kernels::dropout_mask_bytes(channels),
                "dropout_mask: the mask has another shape");
  check_rows(tokens, mask.size(0));
  kernels::dropout_mask(kCpuQueue, stream, rate,
                        {samples, offsets, tokens.const_data_ptr<std::int64_t>()}, channels,
                        mask.data_ptr<std::uint8_t>());
}

void dropout_apply(double rate, const at::Tensor& mask, const at::Tensor& x, bool accumulate,
                   const at::Tensor& y) {
  check_same(x, y);
  check_rows(mask, x.size(0));
  kernels::dropout_apply(kCpuQueue, rate, x.size(0), x.size(1), mask.data_ptr<std::uint8_t>(),
                         data(x), accumulate, data(y));
}

void narrow_matmul(const at::Tensor& left, const at::Tensor& right, bool add, const at::Tensor& y) {
  RALLREC_CHECK(left.size(1) == right.size(0) && left.size(0) == y.size(0) &&
                    right.size(1) == y.size(1) && right.stride(1) == 1 && y.stride(1) == 1,
                "narrow_matmul: sizes do not fit, or rows have gaps");
  kernels::narrow_matmul(kCpuQueue, y.size(0), y.size(1), left.size(1),
                         {left.const_data_ptr<float>(), left.stride(0), left.stride(1)},
                         right.const_data_ptr<float>(), right.stride(0),
                         y.mutable_data_ptr<float>(), y.stride(0), add);
}

}  // namespace rallrec::ops
