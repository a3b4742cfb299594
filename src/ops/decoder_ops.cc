#include "ops/decoder_ops.h"

#include "core/check.h"
#include "core/device_memory.h"
#include "kernels/chosen_rows.h"
#include "kernels/embedding_gather.h"
#include "kernels/narrow_matmul.h"
#include "kernels/rms_norm.h"
#include "kernels/scaled_transpose.h"
#include "kernels/swi_glu.h"

namespace rallrec::ops {
namespace {

void check_rows(const Rows& x, std::int64_t rows) {
  RALLREC_CHECK(!x.defined() || x.rows == rows, "decoder_ops: numbers of rows differ");
}

void check_same(const Rows& x, const Rows& y) {
  RALLREC_CHECK(x.rows == y.rows && x.columns == y.columns, "decoder_ops: shapes differ");
}

void check_sequences(const std::vector<kernels::AttentionSequence>& sequences, const Rows& q,
                     const Rows& k) {
  for (const kernels::AttentionSequence& s : sequences) {
    RALLREC_CHECK(s.query_begin + s.queries <= q.rows && s.key_begin + s.keys <= k.rows,
                  "attention: a sequence leaves its matrix");
  }
}

}  // namespace

void rms_norm(const Queue& queue, const Rows& x, const float* weight, double eps, const Rows& y,
              const Rows& inverse_rms) {
  check_same(x, y);
  check_rows(inverse_rms, x.rows);
  kernels::rms_norm(queue, x.rows, x.columns, static_cast<float>(eps), x.data, weight, y.data,
                    inverse_rms.data);
}

void rms_norm_backward(const Queue& queue, const Rows& x, const float* weight,
                       const Rows& inverse_rms, const Rows& dy, const Rows& residual,
                       const Rows& dx) {
  check_same(x, dy);
  check_same(x, dx);
  check_rows(residual, x.rows);
  check_rows(inverse_rms, x.rows);
  kernels::rms_norm_backward(queue, x.rows, x.columns, x.data, weight, inverse_rms.data, dy.data,
                             residual.data, dx.data);
}

void embedding_pool(const Queue& queue, kernels::Pooling pooling, const std::int64_t* offsets,
                    const Rows& x, const float* norm_weight, double eps, const Rows& y) {
  RALLREC_CHECK(x.columns == y.columns, "embedding_pool: shapes differ");
  kernels::embedding_pool(
      queue, {pooling, false}, y.rows, offsets, x.columns,
      {kernels::TableType::kFloat32, x.data, norm_weight, static_cast<float>(eps)}, y.data);
}

void rope(const Queue& queue, const Rows& x, std::int64_t head_dim, const std::int64_t* positions,
          const float* cosines, const float* sines, kernels::RopeDirection direction) {
  RALLREC_CHECK(x.columns % head_dim == 0, "rope: head_dim does not fit");
  kernels::rope(queue, x.rows, x.columns / head_dim, head_dim, positions, cosines, sines, direction,
                x.data);
}

void swi_glu(const Queue& queue, const Rows& gate, const Rows& up, const Rows& y) {
  check_same(gate, up);
  check_same(gate, y);
  kernels::swi_glu(queue, gate.count(), gate.data, up.data, y.data);
}

void swi_glu_backward(const Queue& queue, const Rows& gate, const Rows& up, const Rows& dy,
                      const Rows& d_gate, const Rows& d_up) {
  check_same(gate, up);
  check_same(gate, dy);
  check_same(gate, d_gate);
  check_same(gate, d_up);
  kernels::swi_glu_backward(queue, gate.count(), gate.data, up.data, dy.data, d_gate.data,
                            d_up.data);
}

void attention(const Queue& queue, const kernels::AttentionShape& shape,
               const std::vector<kernels::AttentionSequence>& sequences,
               const kernels::AttentionPrefix& prefix, const Rows& q, const Rows& k, const Rows& v,
               const Rows& o, const Rows& lse) {
  check_same(q, o);
  check_same(k, v);
  check_sequences(sequences, q, k);
  kernels::attention(queue, shape, sequences, prefix, q.data, k.data, v.data, o.data, lse.data);
}

void attention_backward(const Queue& queue, const kernels::AttentionShape& shape,
                        const std::vector<kernels::AttentionSequence>& sequences,
                        const AttentionForward& forward, const Rows& d_o, const Rows& dq,
                        const Rows& dk, const Rows& dv) {
  check_same(forward.q, d_o);
  check_same(forward.q, dq);
  check_same(forward.k, dk);
  check_same(forward.v, dv);
  check_sequences(sequences, forward.q, forward.k);
  kernels::attention_backward(queue, shape, sequences, forward.q.data, forward.k.data,
                              forward.v.data, forward.o.data, forward.lse.data, d_o.data,
                              {dq.data, dk.data, dv.data});
}

void dropout_mask(const Queue& queue, const kernels::DropoutStream& stream, double rate,
                  const std::vector<std::int64_t>& samples,
                  const std::vector<std::int64_t>& offsets, const std::int64_t* tokens,
                  std::int64_t channels, std::uint8_t* mask) {
  kernels::dropout_mask(queue, stream, rate, {samples, offsets, tokens}, channels, mask);
}

void dropout_apply(const Queue& queue, double rate, const std::uint8_t* mask, const Rows& x,
                   bool accumulate, const Rows& y) {
  check_same(x, y);
  kernels::dropout_apply(queue, rate, x.rows, x.columns, mask, x.data, accumulate, y.data);
}

void narrow_matmul(const Queue& queue, const Rows& left, bool turned, const Rows& right, bool add,
                   const Rows& y) {
  const std::int64_t depth = turned ? left.rows : left.columns;
  RALLREC_CHECK((turned ? left.columns : left.rows) == y.rows && depth == right.rows &&
                    right.columns == y.columns,
                "narrow_matmul: sizes do not fit");
  const kernels::StridedMatrix matrix = turned ? kernels::StridedMatrix{left.data, 1, left.columns}
                                               : kernels::StridedMatrix{left.data, left.columns, 1};
  kernels::narrow_matmul(queue, y.rows, y.columns, depth, matrix, right.data, right.columns, y.data,
                         y.columns, add);
}

void scaled_transpose(const Queue& queue, double scale, const Rows& x, const Rows& y) {
  RALLREC_CHECK(x.rows == y.columns && x.columns == y.rows, "scaled_transpose: shapes differ");
  kernels::scaled_transpose(queue, x.rows, x.columns, static_cast<float>(scale), x.data, y.data);
}

void scale_values(const Queue& queue, double scale, const Rows& x) {
  kernels::scale_values(queue, x.count(), static_cast<float>(scale), x.data);
}

void copy_rows(const Queue& queue, const Rows& x, const Rows& y) {
  check_same(x, y);
  copy_on_device(queue, y.data, x.data, static_cast<std::size_t>(x.count()) * sizeof(float));
}

void copy_chosen_rows(const Queue& queue, const std::int64_t* chosen, const Rows& x,
                      const Rows& y) {
  RALLREC_CHECK(x.columns == y.columns, "copy_chosen_rows: shapes differ");
  kernels::embedding_gather(queue, kernels::TableType::kFloat32, x.data, x.rows, x.columns, chosen,
                            y.rows, y.data);
}

void copy_to_chosen_rows(const Queue& queue, const std::int64_t* chosen, const Rows& y,
                         const Rows& x) {
  RALLREC_CHECK(x.columns == y.columns, "copy_to_chosen_rows: shapes differ");
  kernels::copy_to_chosen_rows(queue, y.rows, y.columns, chosen, y.data, x.data);
}

void add_to_chosen_rows(const Queue& queue, const std::int64_t* chosen, const Rows& y,
                        const Rows& x) {
  RALLREC_CHECK(x.columns == y.columns, "add_to_chosen_rows: shapes differ");
  kernels::add_to_chosen_rows(queue, y.rows, y.columns, chosen, y.data, x.data);
}

}  // namespace rallrec::ops
