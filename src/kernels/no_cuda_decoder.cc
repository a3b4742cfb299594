// The GPU column of a build without CUDA: the ops of the LLM. All others are in no_cuda.cc.
#include "core/no_cuda.h"
#include "kernels/attention_gpu.h"
#include "kernels/chosen_rows_gpu.h"
#include "kernels/dropout_gpu.h"
#include "kernels/embedding_gather_gpu.h"
#include "kernels/embedding_pool_gpu.h"
#include "kernels/int8_dequantize_gpu.h"
#include "kernels/int8_rows_gpu.h"
#include "kernels/narrow_matmul_gpu.h"
#include "kernels/outlier_rows_gpu.h"
#include "kernels/rms_norm_gpu.h"
#include "kernels/rope_gpu.h"
#include "kernels/row_product_gpu.h"
#include "kernels/scaled_transpose_gpu.h"
#include "kernels/swi_glu_gpu.h"
#include "kernels/vocabulary_head_gpu.h"

namespace rallrec::kernels::detail {

void attention_gpu(const Queue& /*queue*/, const AttentionArguments& /*arguments*/,
                   const std::vector<AttentionSequence>& /*sequences*/) {
  throw_no_cuda("attention");
}

void attention_backward_gpu(const Queue& /*queue*/, const AttentionBackwardArguments& /*arguments*/,
                            const std::vector<AttentionSequence>& /*sequences*/) {
  throw_no_cuda("attention_backward");
}

void add_to_chosen_rows_gpu(const Queue& /*queue*/, std::int64_t /*count*/,
                            std::int64_t /*columns*/, const std::int64_t* /*rows*/,
                            const float* /*y*/, float* /*x*/) {
  throw_no_cuda("add_to_chosen_rows");
}

void scaled_transpose_gpu(const Queue& /*queue*/, std::int64_t /*rows*/, std::int64_t /*columns*/,
                          float /*scale*/, const float* /*x*/, float* /*y*/) {
  throw_no_cuda("scaled_transpose");
}

void scale_values_gpu(const Queue& /*queue*/, std::int64_t /*count*/, float /*scale*/,
                      float* /*x*/) {
  throw_no_cuda("scale_values");
}

void narrow_matmul_gpu(const Queue& /*queue*/, std::int64_t /*m*/, std::int64_t /*n*/,
                       std::int64_t /*k*/, const StridedMatrix& /*a*/, const float* /*b*/,
                       std::int64_t /*ldb*/, float* /*c*/, std::int64_t /*ldc*/,
                       bool /*accumulate*/) {
  throw_no_cuda("narrow_matmul");
}

void dropout_mask_gpu(const Queue& /*queue*/, const DropoutDraw& /*draw*/,
                      const DropoutRows& /*rows*/, std::uint8_t* /*mask*/) {
  throw_no_cuda("dropout_mask");
}

void dropout_apply_gpu(const Queue& /*queue*/, float /*factor*/, std::int64_t /*tokens*/,
                       std::int64_t /*channels*/, const std::uint8_t* /*mask*/, const float* /*x*/,
                       bool /*accumulate*/, float* /*y*/) {
  throw_no_cuda("dropout_apply");
}

void rms_norm_gpu(const Queue& /*queue*/, std::int64_t /*rows*/,
                  const RmsNormArguments& /*arguments*/) {
  throw_no_cuda("rms_norm");
}

void rms_norm_backward_gpu(const Queue& /*queue*/, std::int64_t /*rows*/,
                           const RmsNormBackwardArguments& /*arguments*/) {
  throw_no_cuda("rms_norm_backward");
}

void rope_gpu(const Queue& /*queue*/, std::int64_t /*tokens*/, const RopeArguments& /*arguments*/) {
  throw_no_cuda("rope");
}

void swi_glu_gpu(const Queue& /*queue*/, std::int64_t /*count*/, const float* /*gate*/,
                 const float* /*up*/, float* /*y*/) {
  throw_no_cuda("swi_glu");
}

void swi_glu_backward_gpu(const Queue& /*queue*/, std::int64_t /*count*/, const float* /*gate*/,
                          const float* /*up*/, const float* /*dy*/, float* /*d_gate*/,
                          float* /*d_up*/) {
  throw_no_cuda("swi_glu_backward");
}

void embedding_gather_gpu(const Queue& /*queue*/, TableType /*type*/, const void* /*table*/,
                          std::int64_t /*rows*/, std::int64_t /*columns*/,
                          const std::int64_t* /*ids*/, std::int64_t /*count*/, float* /*y*/) {
  throw_no_cuda("embedding_gather");
}

void embedding_pool_gpu(const Queue& /*queue*/, std::int64_t /*sequences*/,
                        const PoolArguments& /*arguments*/) {
  throw_no_cuda("embedding_pool");
}

void int8_quantize_gpu(const Queue& /*queue*/, std::int64_t /*rows*/, std::int64_t /*depth*/,
                       const Int8RowsInput& /*input*/, std::int8_t* /*q*/, float* /*scale*/,
                       const OutlierSlots& /*outliers*/) {
  throw_no_cuda("int8_quantize");
}

void dequantize_bfloat16_gpu(const Queue& /*queue*/, const Int8Packed& /*b*/,
                             std::uint16_t* /*rows*/) {
  throw_no_cuda("dequantize_bfloat16");
}

void int8_epilogue_gpu(const Queue& /*queue*/, std::int64_t /*rows*/, std::int64_t /*columns*/,
                       const std::int32_t* /*sums*/, const Int8Epilogue& /*epilogue*/,
                       float* /*y*/) {
  throw_no_cuda("int8_epilogue");
}

void int8_product_gpu(const Queue& /*queue*/, const ProductShape& /*shape*/,
                      const std::int8_t* /*a*/, const std::int8_t* /*w*/, std::int32_t* /*sums*/) {
  throw_no_cuda("int8_product");
}

void int8_product_transposed_gpu(const Queue& /*queue*/, const ProductShape& /*shape*/,
                                 const std::int8_t* /*a*/, const std::int8_t* /*w*/,
                                 std::int32_t* /*sums*/) {
  throw_no_cuda("int8_product_transposed");
}

void bfloat16_product_gpu(const Queue& /*queue*/, const ProductShape& /*shape*/, const float* /*x*/,
                          const std::uint16_t* /*w*/, bool /*accumulate*/, float* /*y*/) {
  throw_no_cuda("bfloat16_product");
}

void bfloat16_product_transposed_gpu(const Queue& /*queue*/, const ProductShape& /*shape*/,
                                     const float* /*x*/, const std::uint16_t* /*w*/,
                                     bool /*accumulate*/, float* /*y*/) {
  throw_no_cuda("bfloat16_product_transposed");
}

void add_outlier_rows_gpu(const Queue& /*queue*/, const ProductShape& /*shape*/,
                          const OutlierSlots& /*outliers*/, const std::int8_t* /*w*/,
                          const float* /*column_scale*/, float* /*y*/) {
  throw_no_cuda("add_outlier_rows");
}

void add_outlier_rows_transposed_gpu(const Queue& /*queue*/, const ProductShape& /*shape*/,
                                     const OutlierSlots& /*outliers*/, const std::int8_t* /*w*/,
                                     float* /*y*/) {
  throw_no_cuda("add_outlier_rows_transposed");
}

void copy_to_chosen_rows_gpu(const Queue& /*queue*/, std::int64_t /*count*/,
                             std::int64_t /*columns*/, const std::int64_t* /*rows*/,
                             const float* /*y*/, float* /*x*/) {
  throw_no_cuda("copy_to_chosen_rows");
}

void dequantize_rows_gpu(const Queue& /*queue*/, std::int64_t /*rows*/, std::int64_t /*depth*/,
                         const std::int8_t* /*q*/, const float* /*scale*/, std::uint16_t* /*y*/) {
  throw_no_cuda("dequantize_rows");
}

void head_logits_gpu(const Queue& /*queue*/, const HeadPart& /*part*/, std::int64_t /*rows*/,
                     const float* /*x*/, const std::int64_t* /*labels*/, float* /*logits*/,
                     float* /*statistics*/) {
  throw_no_cuda("head_logits");
}

void combine_head_statistics_gpu(const Queue& /*queue*/, std::int64_t /*vocabulary*/,
                                 std::int64_t /*rows*/, const float* /*statistics*/,
                                 const std::int64_t* /*labels*/, float* /*losses*/,
                                 float* /*lse*/) {
  throw_no_cuda("combine_head_statistics");
}

void head_gradient_gpu(const Queue& /*queue*/, const HeadPart& /*part*/, std::int64_t /*rows*/,
                       const std::int64_t* /*labels*/, const float* /*lse*/, float /*loss_scale*/,
                       float* /*logits*/, float* /*partials*/) {
  throw_no_cuda("head_gradient");
}

void label_loss_gpu(const Queue& /*queue*/, const HeadPart& /*head*/, std::int64_t /*rows*/,
                    const float* /*x*/, const std::int64_t* /*labels*/, double /*loss_scale*/,
                    float* /*losses*/, float* /*dx*/) {
  throw_no_cuda("label_loss");
}

}  // namespace rallrec::kernels::detail
