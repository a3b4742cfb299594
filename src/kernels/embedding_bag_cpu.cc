#include "kernels/embedding_bag_cpu.h"

#include "kernels/simd.h"

namespace rallrec::kernels::detail {
namespace {

// Eight columns of a bag, or the `left` that remain.
[[gnu::always_inline]] inline void sum_columns(const BagShape& s, const Bags& bags,
                                               const float* table, std::int64_t bag,
                                               std::int64_t left, float* y) {
  FloatLanes sum{};
  for (std::int64_t e = bags.offsets[bag]; e < bags.offsets[bag + 1]; ++e) {
    FloatLanes row;
    load_up_to(table + bags.ids[e] * s.stride, left, row);
    sum += bags.weights[e] * row;
  }
  store_up_to(sum, left, y);
}

struct Forward {
  [[gnu::always_inline]] static void run(const BagShape* s, const Bags* bags, const float* table,
                                         float* y, std::int64_t begin, std::int64_t end) {
    for (std::int64_t bag = begin; bag < end; ++bag) {
      for (std::int64_t c = 0; c < s->columns; c += 8) {
        sum_columns(*s, *bags, table + c, bag, s->columns - c, y + bag * s->to_next() + c);
      }
    }
  }
};

struct Backward {
  [[gnu::always_inline]] static void run(const BagShape* s, const Bags* bags, const float* dy,
                                         float* dtable) {
    for (std::int64_t bag = 0; bag < s->bags; ++bag) {
      const float* from = dy + bag * s->columns;
      for (std::int64_t e = bags->offsets[bag]; e < bags->offsets[bag + 1]; ++e) {
        float* to = dtable + bags->ids[e] * s->stride;
        for (std::int64_t c = 0; c < s->columns; c += 8) {
          FloatLanes sum;
          FloatLanes gradient;
          load_up_to(to + c, s->columns - c, sum);
          load_up_to(from + c, s->columns - c, gradient);
          sum += bags->weights[e] * gradient;
          store_up_to(sum, s->columns - c, to + c);
        }
      }
    }
  }
};

}  // namespace

void embedding_bag_cpu(const BagShape& shape, const Bags& bags, const float* table, float* y,
                       std::int64_t begin, std::int64_t end) {
  run_best<Forward>(&shape, &bags, table, y, begin, end);
}

void embedding_bag_backward_cpu(const BagShape& shape, const Bags& bags, const float* dy,
                                float* dtable) {
  run_best<Backward>(&shape, &bags, dy, dtable);
}

}  // namespace rallrec::kernels::detail
