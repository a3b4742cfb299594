// The GPU column of a build without CUDA.
#include "kernels/no_cuda.h"

#include "core/no_cuda.h"
#include "kernels/activation_gpu.h"
#include "kernels/adam_gpu.h"
#include "kernels/add_rows_gpu.h"
#include "kernels/attention_gpu.h"
#include "kernels/binary_cross_entropy_gpu.h"
#include "kernels/bpr_gpu.h"
#include "kernels/chosen_rows_gpu.h"
#include "kernels/cin_gpu.h"
#include "kernels/columns_gpu.h"
#include "kernels/cross_layer_gpu.h"
#include "kernels/dropout_gpu.h"
#include "kernels/embedding_bag_gpu.h"
#include "kernels/embedding_gather_gpu.h"
#include "kernels/embedding_pool_gpu.h"
#include "kernels/field_attention_gpu.h"
#include "kernels/fm_interaction_gpu.h"
#include "kernels/held_rows_gpu.h"
#include "kernels/info_nce_gpu.h"
#include "kernels/int8_dequantize_gpu.h"
#include "kernels/int8_rows_gpu.h"
#include "kernels/linear_gpu.h"
#include "kernels/narrow_matmul_gpu.h"
#include "kernels/nearest_rows_gpu.h"
#include "kernels/negative_sampling_gpu.h"
#include "kernels/outlier_rows_gpu.h"
#include "kernels/rms_norm_gpu.h"
#include "kernels/rope_gpu.h"
#include "kernels/row_product_gpu.h"
#include "kernels/scaled_transpose_gpu.h"
#include "kernels/segment_sum_gpu.h"
#include "kernels/similarity_gpu.h"
#include "kernels/spmm_bitmap_gpu.h"
#include "kernels/spmm_gpu.h"
#include "kernels/swi_glu_gpu.h"
#include "kernels/top_k_gpu.h"
#include "kernels/unit_rows_gpu.h"
#include "kernels/vocabulary_head_gpu.h"

namespace rallrec::kernels {
void require_cpu(const Queue& queue, const char* operation) {
  if (queue.device == Device::kCuda) {
    throw_no_cuda(operation);
  }
}

namespace detail {

void activate_gpu(const Queue& /*queue*/, Activation /*activation*/, std::int64_t /*count*/,
                  const float* /*x*/, float* /*y*/) {
  throw_no_cuda("activate");
}

void activate_backward_gpu(const Queue& /*queue*/, Activation /*activation*/,
                           std::int64_t /*count*/, const float* /*x*/, const float* /*dy*/,
                           float* /*dx*/) {
  throw_no_cuda("activate_backward");
}

void add_rows_gpu(const Queue& /*queue*/, const RowAddition* /*additions*/, std::int64_t /*count*/,
                  std::int64_t /*width*/, float* /*values*/) {
  throw_no_cuda("add_rows");
}

void attention_gpu(const Queue& /*queue*/, const AttentionArguments& /*arguments*/,
                   const std::vector<AttentionSequence>& /*sequences*/) {
  throw_no_cuda("attention");
}

void attention_backward_gpu(const Queue& /*queue*/, const AttentionBackwardArguments& /*arguments*/,
                            const std::vector<AttentionSequence>& /*sequences*/) {
  throw_no_cuda("attention_backward");
}

void find_places_gpu(const Queue& /*queue*/, const std::int32_t* /*place_of*/,
                     const std::int32_t* /*ids*/, std::int64_t /*count*/,
                     std::int32_t* /*places*/) {
  throw_no_cuda("find_places");
}

void take_rows_gpu(const Queue& /*queue*/, const float* /*rows*/, std::int64_t /*width*/,
                   const std::int32_t* /*places*/, std::int64_t /*count*/, std::int64_t /*begin*/,
                   std::int64_t /*end*/, float* /*taken*/) {
  throw_no_cuda("take_rows");
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

void linear_gpu(const Queue& /*queue*/, const LinearShape& /*shape*/, const float* /*x*/,
                const float* /*weight*/, const float* /*bias*/, float* /*y*/) {
  throw_no_cuda("linear");
}

void linear_backward_input_gpu(const Queue& /*queue*/, const LinearShape& /*shape*/,
                               const float* /*dy*/, const float* /*weight*/, float* /*dx*/) {
  throw_no_cuda("linear_backward_input");
}

void linear_backward_weight_gpu(const Queue& /*queue*/, const LinearShape& /*shape*/,
                                const float* /*x*/, const float* /*dy*/, float* /*dweight*/,
                                float* /*dbias*/) {
  throw_no_cuda("linear_backward_weight");
}

void unit_rows_gpu(const Queue& /*queue*/, std::int64_t /*rows*/,
                   const UnitRowsArguments& /*arguments*/) {
  throw_no_cuda("unit_rows");
}

void unit_rows_backward_gpu(const Queue& /*queue*/, std::int64_t /*rows*/,
                            const UnitRowsBackwardArguments& /*arguments*/) {
  throw_no_cuda("unit_rows_backward");
}

void adam_gpu(const Queue& /*queue*/, const AdamRates& /*rates*/, const AdamRates* /*stored*/,
              const AdamArguments& /*arguments*/) {
  throw_no_cuda("adam");
}

void adam_rows_gpu(const Queue& /*queue*/, const AdamRows& /*rows*/) { throw_no_cuda("adam_rows"); }

void binary_cross_entropy_gpu(const Queue& /*queue*/, std::int64_t /*count*/,
                              const float* /*logits*/, const std::uint8_t* /*labels*/,
                              double /*divisor*/, float* /*slopes*/, double* /*loss_sum*/) {
  throw_no_cuda("binary_cross_entropy");
}

void copy_columns_gpu(const Queue& /*queue*/, const ColumnsShape& /*shape*/, const float* /*from*/,
                      float* /*to*/) {
  throw_no_cuda("copy_columns");
}

void add_columns_gpu(const Queue& /*queue*/, const ColumnsShape& /*shape*/, float /*factor*/,
                     const float* /*from*/, float* /*to*/) {
  throw_no_cuda("add_columns");
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

void embedding_bag_gpu(const Queue& /*queue*/, const BagShape& /*shape*/, const Bags& /*bags*/,
                       const float* /*table*/, float* /*y*/) {
  throw_no_cuda("embedding_bag");
}

void field_attention_gpu(const Queue& /*queue*/, const FieldAttentionArguments& /*arguments*/) {
  throw_no_cuda("field_attention");
}

void field_attention_backward_gpu(const Queue& /*queue*/,
                                  const FieldAttentionBackwardArguments& /*arguments*/) {
  throw_no_cuda("field_attention_backward");
}

void bpr_margins_gpu(const Queue& /*queue*/, const float* /*embeddings*/, std::int64_t /*width*/,
                     const BprBatch& /*batch*/, float* /*margins*/) {
  throw_no_cuda("bpr_margins");
}

void bpr_loss_gpu(const Queue& /*queue*/, const float* /*embeddings*/, std::int64_t /*width*/,
                  const BprBatch& /*batch*/, float /*weight*/, float* /*slopes*/,
                  double* /*loss_sum*/) {
  throw_no_cuda("bpr_loss");
}

void bpr_add_gradient_gpu(const Queue& /*queue*/, const float* /*embeddings*/,
                          std::int64_t /*width*/, const BprBatch& /*batch*/,
                          const float* /*slopes*/, const BprTargets& /*targets*/,
                          float* /*gradient*/) {
  throw_no_cuda("bpr_add_gradient");
}

void bpr_squares_gpu(const Queue& /*queue*/, const float* /*embeddings*/, std::int64_t /*width*/,
                     const BprBatch& /*batch*/, std::int64_t /*begin*/, std::int64_t /*end*/,
                     float* /*squares*/) {
  throw_no_cuda("bpr_squares");
}

void bpr_norms_gpu(const Queue& /*queue*/, const float* /*squares*/, std::int64_t /*count*/,
                   double* /*norms*/) {
  throw_no_cuda("bpr_norms");
}

void bpr_add_norm_gradient_gpu(const Queue& /*queue*/, const float* /*embeddings*/,
                               std::int64_t /*width*/, const BprBatch& /*batch*/, double /*weight*/,
                               const double* /*norms*/, const BprTargets& /*targets*/,
                               float* /*gradient*/) {
  throw_no_cuda("bpr_add_norm_gradient");
}

void sample_negatives_gpu(const Queue& /*queue*/, const EdgeBitmap& /*bitmap*/,
                          const NegativeDraws& /*draws*/, std::int32_t* /*negatives*/) {
  throw_no_cuda("sample_negatives");
}

void sample_negatives_gpu(const Queue& /*queue*/, const EdgeLists& /*lists*/,
                          const NegativeDraws& /*draws*/, std::int32_t* /*negatives*/) {
  throw_no_cuda("sample_negatives");
}

void nearest_rows_gpu(const Queue& /*queue*/, const NearestTask& /*task*/, std::int32_t* /*best*/,
                      float* /*scores*/) {
  throw_no_cuda("nearest_rows");
}

void similarity_gpu(const Queue& /*queue*/, const float* /*queries*/, std::int64_t /*query_count*/,
                    const float* /*candidates*/, std::int64_t /*candidate_count*/,
                    std::int64_t /*width*/, float* /*scores*/) {
  throw_no_cuda("similarity");
}

void similarity_of_lists_gpu(const Queue& /*queue*/, const float* /*vectors*/,
                             std::int64_t /*width*/, const CandidateLists& /*lists*/,
                             float* /*scores*/) {
  throw_no_cuda("similarity_of_lists");
}

void spmm_gpu(const Queue& /*queue*/, const CsrView& /*matrix*/, const float* /*x*/,
              std::int64_t /*width*/, const float* /*addend*/, float /*scale*/, float* /*y*/) {
  throw_no_cuda("spmm");
}

void spmm_bitmap_gpu(const Queue& /*queue*/, const BitmapView& /*matrix*/, const float* /*x*/,
                     std::int64_t /*width*/, const float* /*addend*/, float /*scale*/,
                     float* /*y*/) {
  throw_no_cuda("spmm_bitmap");
}

void top_k_gpu(const Queue& /*queue*/, const ScoredLists& /*lists*/, std::int64_t /*k*/,
               std::int32_t* /*best*/) {
  throw_no_cuda("top_k");
}

void info_nce_forward_gpu(const Queue& /*queue*/, const InfoNceBlock& /*block*/,
                          double* /*row_lse*/, double* /*column_lse*/, float* /*positive*/) {
  throw_no_cuda("info_nce");
}

void combine_column_lse_gpu(const Queue& /*queue*/, const double* /*partial*/,
                            std::int64_t /*blocks*/, std::int64_t /*columns*/, double* /*result*/) {
  throw_no_cuda("combine_column_lse");
}

void info_nce_loss_gpu(const Queue& /*queue*/, const InfoNceBlock& /*block*/,
                       const double* /*row_lse*/, const double* /*column_lse*/,
                       const float* /*positive*/, double* /*sum*/) {
  throw_no_cuda("info_nce_loss");
}

void info_nce_backward_gpu(const Queue& /*queue*/, const InfoNceBlock& /*block*/,
                           const double* /*row_lse*/, const double* /*column_lse*/,
                           float /*weight*/, float* /*grad_x*/, float* /*grad_y*/) {
  throw_no_cuda("info_nce_backward");
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

void segment_sum_gpu(const Queue& /*queue*/, const RowGroupsView& /*groups*/,
                     std::int64_t /*columns*/, const float* /*dy*/, float* /*table*/) {
  throw_no_cuda("segment_sum");
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

void fm_interaction_gpu(const Queue& /*queue*/, const FmArguments& /*arguments*/) {
  throw_no_cuda("fm_interaction");
}

void fm_interaction_backward_gpu(const Queue& /*queue*/, const FmBackwardArguments& /*arguments*/) {
  throw_no_cuda("fm_interaction_backward");
}

void cross_layer_gpu(const Queue& /*queue*/, const CrossArguments& /*arguments*/) {
  throw_no_cuda("cross_layer");
}

void cross_layer_backward_gpu(const Queue& /*queue*/, const CrossBackwardArguments& /*arguments*/) {
  throw_no_cuda("cross_layer_backward");
}

void cin_gpu(const Queue& /*queue*/, const CinArguments& /*arguments*/) { throw_no_cuda("cin"); }

void cin_backward_gpu(const Queue& /*queue*/, const CinBackwardArguments& /*arguments*/) {
  throw_no_cuda("cin_backward");
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

}  // namespace detail
}  // namespace rallrec::kernels
