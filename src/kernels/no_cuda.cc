// The GPU column of a build without CUDA; that of the LLM's ops is in no_cuda_decoder.cc.
#include "kernels/no_cuda.h"

#include "core/no_cuda.h"
#include "kernels/activation_gpu.h"
#include "kernels/adam_gpu.h"
#include "kernels/add_rows_gpu.h"
#include "kernels/binary_cross_entropy_gpu.h"
#include "kernels/bpr_gpu.h"
#include "kernels/cin_gpu.h"
#include "kernels/columns_gpu.h"
#include "kernels/cross_layer_gpu.h"
#include "kernels/embedding_bag_gpu.h"
#include "kernels/field_attention_gpu.h"
#include "kernels/fm_interaction_gpu.h"
#include "kernels/held_rows_gpu.h"
#include "kernels/info_nce_gpu.h"
#include "kernels/linear_gpu.h"
#include "kernels/nearest_rows_gpu.h"
#include "kernels/negative_sampling_gpu.h"
#include "kernels/segment_sum_gpu.h"
#include "kernels/similarity_gpu.h"
#include "kernels/spmm_bitmap_gpu.h"
#include "kernels/spmm_gpu.h"
#include "kernels/top_k_gpu.h"
#include "kernels/unit_rows_gpu.h"

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

void segment_sum_gpu(const Queue& /*queue*/, const RowGroupsView& /*groups*/,
                     std::int64_t /*columns*/, const float* /*dy*/, float* /*table*/) {
  throw_no_cuda("segment_sum");
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

}  // namespace detail
}  // namespace rallrec::kernels
