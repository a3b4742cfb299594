// A build without CUDA refuses a CUDA queue, op by op, and names the cure.
#include <gtest/gtest.h>

#include "kernels/activation.h"
#include "kernels/adam.h"
#include "kernels/add_rows.h"
#include "kernels/attention.h"
#include "kernels/binary_cross_entropy.h"
#include "kernels/bpr.h"
#include "kernels/chosen_rows.h"
#include "kernels/cin.h"
#include "kernels/columns.h"
#include "kernels/cross_layer.h"
#include "kernels/dropout.h"
#include "kernels/embedding_bag.h"
#include "kernels/embedding_gather.h"
#include "kernels/embedding_pool.h"
#include "kernels/field_attention.h"
#include "kernels/fm_interaction.h"
#include "kernels/held_rows.h"
#include "kernels/int8_dequantize.h"
#include "kernels/int8_rows.h"
#include "kernels/label_loss.h"
#include "kernels/linear.h"
#include "kernels/narrow_matmul.h"
#include "kernels/nearest_rows.h"
#include "kernels/outlier_rows.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/row_product.h"
#include "kernels/scaled_transpose.h"
#include "kernels/segment_sum.h"
#include "kernels/spmm_bitmap.h"
#include "kernels/swi_glu.h"
#include "kernels/unit_rows.h"
#include "tests/support/expect_error.h"

namespace rallrec::kernels {
namespace {

constexpr Queue kCuda{Device::kCuda, nullptr};

template <typename Action>
void expect_refused(const std::string& operation, Action&& action) {
  testing::expect_error(ExitCode::kUsage, operation + ": this build has no CUDA", action);
}

TEST(NoCuda, EveryOpWithAGpuColumnIsRefused) {
  float x[2] = {};
  const std::int64_t zero = 0;
  std::int8_t q = 0;
  const AdamRates rates;
  expect_refused("adam", [&] { adam(kCuda, rates, 1, x, x, x, x); });
  expect_refused("adam", [&] { adam_by_stored_rates(kCuda, &rates, 1, x, x, x, x); });
  expect_refused("activate", [&] { activate(kCuda, Activation::kRelu, 1, x, x); });
  expect_refused("activate_backward",
                 [&] { activate_backward(kCuda, Activation::kRelu, 1, x, x, x); });
  const RowAddition addition{0, 1};
  expect_refused("add_rows", [&] { add_rows(kCuda, &addition, 1, 1, x); });
  const AttentionShape heads{1, 1, 1};
  expect_refused("attention", [&] { attention(kCuda, heads, {}, {}, x, x, x, x, x); });
  expect_refused("attention_backward", [&] {
    attention_backward(kCuda, heads, {}, x, x, x, x, x, x, {x, x, x});
  });
  std::int32_t place = 0;
  expect_refused("find_places", [&] { find_places(kCuda, &place, &place, 1, &place); });
  expect_refused("take_rows", [&] { take_rows(kCuda, x, 1, &place, 1, 0, 1, x); });
  expect_refused("adam_rows", [&] { adam_rows(kCuda, {1, 1, &zero, &rates, 0.0F, x, x, x, x}); });
  std::uint8_t byte = 0;
  double loss = 0.0;
  expect_refused("binary_cross_entropy",
                 [&] { binary_cross_entropy(kCuda, 1, x, &byte, 1.0, x, &loss); });
  expect_refused("copy_columns", [&] { copy_columns(kCuda, vector_shape(1), x, x); });
  expect_refused("add_columns", [&] { add_columns(kCuda, vector_shape(1), 1.0F, x, x); });
  const std::vector<std::int64_t> samples = {0};
  const std::vector<std::int64_t> rows = {0, 1};
  expect_refused("dropout_mask", [&] {
    dropout_mask(kCuda, {1, 1, 1, 1}, 0.5, {samples, rows, &zero}, 1, &byte);
  });
  expect_refused("dropout_apply", [&] { dropout_apply(kCuda, 0.5, 1, 1, &byte, x, false, x); });
  expect_refused("embedding_bag", [&] { embedding_bag(kCuda, {1, 1, 1, 0}, {}, x, x); });
  expect_refused("field_attention", [&] {
    field_attention(kCuda, {1, 1, 1, 1, 1}, {x, x, x}, x, x);
  });
  expect_refused("field_attention_backward", [&] {
    field_attention_backward(kCuda, {1, 1, 1, 1, 1}, {x, x, x}, x, x, {x, x, x});
  });
  const BprBatch triple{&place, &place, &place, 1};
  double norms[3] = {};
  expect_refused("bpr_add_gradient", [&] {
    bpr_add_gradient(kCuda, x, 1, triple, x, {triple, 0, 1}, x);
  });
  expect_refused("bpr_squares", [&] { bpr_squares(kCuda, x, 1, triple, 0, 1, x); });
  expect_refused("bpr_norms", [&] { bpr_norms(kCuda, x, 1, norms); });
  expect_refused("bpr_add_norm_gradient", [&] {
    bpr_add_norm_gradient(kCuda, x, 1, triple, 1.0, norms, {triple, 0, 1}, x);
  });
  expect_refused("copy_to_chosen_rows", [&] { copy_to_chosen_rows(kCuda, 1, 1, &zero, x, x); });
  expect_refused("add_to_chosen_rows", [&] { add_to_chosen_rows(kCuda, 1, 1, &zero, x, x); });
  expect_refused("scaled_transpose", [&] { scaled_transpose(kCuda, 1, 1, 1.0F, x, x); });
  expect_refused("scale_values", [&] { scale_values(kCuda, 1, 1.0F, x); });
  expect_refused("narrow_matmul", [&] {
    narrow_matmul(kCuda, 1, 1, 1, {x, 1, 1}, x, 1, x, 1, false);
  });
  expect_refused("linear", [&] { linear(kCuda, {1, 1, 1}, x, x, x, x); });
  expect_refused("linear_backward_input", [&] {
    linear_backward_input(kCuda, {1, 1, 1}, x, x, x);
  });
  expect_refused("linear_backward_weight", [&] {
    linear_backward_weight(kCuda, {1, 1, 1}, x, x, x, x);
  });
  expect_refused("unit_rows", [&] { unit_rows(kCuda, 1, 1, x, x, x); });
  expect_refused("unit_rows_backward", [&] { unit_rows_backward(kCuda, 1, 1, x, x, x, x); });
  expect_refused("rms_norm", [&] { rms_norm(kCuda, 1, 1, 0.0F, x, x, x, x); });
  expect_refused("rms_norm_backward",
                 [&] { rms_norm_backward(kCuda, 1, 1, x, x, x, x, nullptr, x); });
  expect_refused("rope", [&] { rope(kCuda, 1, 1, 2, &zero, x, x, RopeDirection::kForward, x); });
  expect_refused("swi_glu", [&] { swi_glu(kCuda, 1, x, x, x); });
  expect_refused("swi_glu_backward", [&] { swi_glu_backward(kCuda, 1, x, x, x, x, x); });
  expect_refused("embedding_gather",
                 [&] { embedding_gather(kCuda, TableType::kFloat32, x, 1, 1, &zero, 1, x); });
  expect_refused("embedding_pool", [&] { embedding_pool(kCuda, {}, 0, &zero, 1, {}, x); });
  expect_refused("segment_sum", [&] { segment_sum(kCuda, {}, 1, x, x); });
  expect_refused("int8_quantize", [&] { int8_quantize(kCuda, 1, 1, {x}, &q, x, {}); });
  expect_refused("fm_interaction", [&] { fm_interaction(kCuda, {1, 1, 1}, x, x); });
  expect_refused("fm_interaction_backward", [&] {
    fm_interaction_backward(kCuda, {1, 1, 1}, x, x, x);
  });
  expect_refused("spmm_bitmap", [&] {
    const std::uint64_t word = 1;
    float y = 0.0F;
    spmm_bitmap(kCuda, {1, 1, &word, x, x}, x, 1, nullptr, 1.0F, &y);
  });
  expect_refused("nearest_rows", [&] { nearest_rows(kCuda, {x, 1, x, 1, 1, 1}, &place, x); });
  std::uint16_t row = 0;
  expect_refused("dequantize_bfloat16", [&] { dequantize_bfloat16(kCuda, {1, 1, &q, x}, &row); });
  std::int32_t sum = 0;
  expect_refused("int8_product", [&] { int8_product(kCuda, {1, 1, 1}, &q, &q, &sum); });
  expect_refused("int8_product_transposed", [&] {
    int8_product_transposed(kCuda, {1, 1, 1}, &q, &q, &sum);
  });
  expect_refused("bfloat16_product", [&] {
    bfloat16_product(kCuda, {1, 1, 1}, x, &row, false, x);
  });
  expect_refused("bfloat16_product_transposed", [&] {
    bfloat16_product_transposed(kCuda, {1, 1, 1}, x, &row, false, x);
  });
  const OutlierSlots slots{1, &sum, &sum, x};
  expect_refused("add_outlier_rows", [&] {
    add_outlier_rows(kCuda, {1, 1, 1}, slots, &q, nullptr, x);
  });
  expect_refused("add_outlier_rows_transposed", [&] {
    add_outlier_rows_transposed(kCuda, {1, 1, 1}, slots, &q, x);
  });
  const HeadPart head{x, nullptr, 1, 1};
  expect_refused("head_logits", [&] { head_logits(kCuda, head, 1, x, nullptr, x, nullptr); });
  expect_refused("combine_head_statistics",
                 [&] { combine_head_statistics(kCuda, 1, 1, x, &zero, x, x); });
  expect_refused("head_gradient", [&] { head_gradient(kCuda, head, 1, &zero, x, 1.0, x, x); });
  expect_refused("label_loss", [&] { label_loss(kCuda, head, 1, x, &zero, 1.0, x, nullptr); });
  expect_refused("cin", [&] { cin(kCuda, {1, 1, 1, 1, 1}, {x, x, x}, x, x); });
  expect_refused("cin_backward", [&] {
    cin_backward(kCuda, {1, 1, 1, 1, 1}, {x, x, x}, {x, x}, {x, x, x});
  });
  expect_refused("cross_layer", [&] { cross_layer(kCuda, {1, 1}, {x, x, x, x}, x, x); });
  expect_refused("cross_layer_backward", [&] {
    cross_layer_backward(kCuda, {1, 1}, {x, x, x, x, x, nullptr}, {x, x, x, x});
  });
  expect_refused("int8_epilogue", [&] { int8_epilogue(kCuda, 0, 0, nullptr, {}, x); });
}

}  // namespace
}  // namespace rallrec::kernels
