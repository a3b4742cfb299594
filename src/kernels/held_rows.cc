#include "kernels/held_rows.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/held_rows_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kRowGrain = 256;

}  // namespace

void find_places(const Queue& queue, const std::int32_t* place_of, const std::int32_t* ids,
                 std::int64_t count, std::int32_t* places) {
  RALLREC_CHECK(count >= 0, "find_places: negative size");
  if (count == 0) {
    return;
  }
  RALLREC_CHECK(place_of != nullptr && ids != nullptr && places != nullptr,
                "find_places: null input");
  if (queue.device == Device::kCuda) {
    detail::find_places_gpu(queue, place_of, ids, count, places);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    places[i] = place_of[ids[i]];
  }
}

void take_rows(const Queue& queue, const float* rows, std::int64_t width,
               const std::int32_t* places, std::int64_t count, std::int64_t begin, std::int64_t end,
               float* taken) {
  RALLREC_CHECK(count >= 0 && width >= 0, "take_rows: negative size");
  if (count == 0 || width == 0) {
    return;
  }
  RALLREC_CHECK(places != nullptr && taken != nullptr && (rows != nullptr || begin >= end),
                "take_rows: null input");
  if (queue.device == Device::kCuda) {
    detail::take_rows_gpu(queue, rows, width, places, count, begin, end, taken);
    return;
  }
  parallel_for(count, kRowGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      float* to = taken + i * width;
      if (places[i] >= begin && places[i] < end) {
        std::copy_n(rows + places[i] * width, width, to);
      } else {
        std::fill_n(to, width, 0.0F);
      }
    }
  });
}

}  // namespace rallrec::kernels
