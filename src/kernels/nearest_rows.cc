#include "kernels/nearest_rows.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/nearest_rows_gpu.h"
#include "kernels/simd.h"
#include "kernels/tile_matmul.h"

namespace rallrec::kernels {
namespace {

// Rows of the table whose packed copy is in use at a time, and those that a thread packs at once.
constexpr std::int64_t kRowBlock = 2048;
constexpr std::int64_t kPackedRows = 256;
// Queries whose products with a block of rows are in memory at once, per thread: 256 kB.
constexpr std::int64_t kQueryBlock = 32;
// Products that are compared with the least score of a full list at once.
constexpr std::int64_t kGroup = 16;

constexpr float kNever = -std::numeric_limits<float>::infinity();

// The best rows of one query so far, best first.
struct List {
  std::int32_t* best;
  float* scores;
  std::int64_t k;
  std::int64_t* found;

  // What a row met from now on has to exceed.
  float bar() const {
    if (*found < k) {
      return kNever;
    }
    return scores[k - 1];
  }

  // Rows come in ascending order, so an equal score stays behind.
  void add(float score, std::int32_t row) {
    std::int64_t place = *found < k ? (*found)++ : k - 1;
    for (; place > 0 && scores[place - 1] < score; --place) {
      scores[place] = scores[place - 1];
      best[place] = best[place - 1];
    }
    scores[place] = score;
    best[place] = row;
  }
};

// Adds the products [count] of one query with rows from `first_row` on to its list.
struct AddProducts {
  [[gnu::always_inline]] static inline void run(const float* products, std::int64_t count,
                                                std::int32_t first_row, List* list) {
    float bar = list->bar();
    for (std::int64_t j = 0; j < count; j += kGroup) {
      const std::int64_t end = std::min(j + kGroup, count);
      int above = 0;
      for (std::int64_t i = j; i < end; ++i) {
        above += products[i] > bar ? 1 : 0;
      }
      if (above == 0) {
        continue;
      }
      for (std::int64_t i = j; i < end; ++i) {
        if (products[i] > bar) {
          list->add(products[i], first_row + static_cast<std::int32_t>(i));
          bar = list->bar();
        }
      }
    }
  }
};

class Search {
 public:
  Search(const NearestTask& task, std::int32_t* best, float* scores)
      : task_(task),
        best_(best),
        scores_(scores),
        found_(static_cast<std::size_t>(task.query_count), 0),
        packed_(static_cast<std::size_t>(packed_size(task.width, kRowBlock))) {
    std::fill_n(best, task.query_count * task.k, -1);
    std::fill_n(scores, task.query_count * task.k, 0.0F);
  }

  void run() {
    for (std::int64_t row = 0; row < task_.rows; row += kRowBlock) {
      const std::int64_t rows = std::min(kRowBlock, task_.rows - row);
      pack(row, rows);
      const std::int64_t blocks = (task_.query_count + kQueryBlock - 1) / kQueryBlock;
      parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> products(static_cast<std::size_t>(kQueryBlock * kRowBlock));
        for (std::int64_t block = begin; block < end; ++block) {
          search_block(block * kQueryBlock, row, rows, products.data());
        }
      });
    }
  }

 private:
  // Panels of 16 rows of the table each.
  void pack(std::int64_t row, std::int64_t rows) {
    parallel_for((rows + kPackedRows - 1) / kPackedRows, 1,
                 [&](std::int64_t begin, std::int64_t end) {
                   const std::int64_t first = begin * kPackedRows;
                   const std::int64_t count = std::min(end * kPackedRows, rows) - first;
                   pack_panels(task_.table + (row + first) * task_.width, 1, task_.width,
                               task_.width, count, packed_.data() + first * task_.width);
                 });
  }

  void search_block(std::int64_t first, std::int64_t row, std::int64_t rows, float* products) {
    const std::int64_t count = std::min(kQueryBlock, task_.query_count - first);
    const Panels panels{packed_.data(), kPanelColumns * task_.width, kPanelColumns};
    tile_matmul({task_.queries + first * task_.width, task_.width, 1}, panels, count, task_.width,
                rows, false, products, kRowBlock);
    for (std::int64_t q = 0; q < count; ++q) {
      float* const own = products + q * kRowBlock;
      exclude(first + q, row, rows, own);
      List list{best_ + (first + q) * task_.k, scores_ + (first + q) * task_.k, task_.k,
                found_.data() + first + q};
      run_best<AddProducts>(static_cast<const float*>(own), rows, static_cast<std::int32_t>(row),
                            &list);
    }
  }

  void exclude(std::int64_t query, std::int64_t row, std::int64_t rows, float* products) const {
    if (task_.excluded_offsets == nullptr) {
      return;
    }
    const std::int32_t* const end = task_.excluded + task_.excluded_offsets[query + 1];
    const std::int32_t* next = std::lower_bound(task_.excluded + task_.excluded_offsets[query], end,
                                                static_cast<std::int32_t>(row));
    for (; next != end && *next < row + rows; ++next) {
      products[*next - row] = kNever;
    }
  }

  const NearestTask& task_;
  std::int32_t* best_;
  float* scores_;
  std::vector<std::int64_t> found_;  // per query
  std::vector<float> packed_;
};

}  // namespace

void nearest_rows(const Queue& queue, const NearestTask& task, std::int32_t* best, float* scores) {
  RALLREC_CHECK(task.query_count >= 0 && task.rows >= 0 && task.width >= 0 && task.k >= 0,
                "nearest_rows: negative size");
  RALLREC_CHECK(task.rows <= std::numeric_limits<std::int32_t>::max(),
                "nearest_rows: a row's number must fit 32 bits");
  if (task.query_count == 0 || task.k == 0) {
    return;
  }
  RALLREC_CHECK(best != nullptr && scores != nullptr, "nearest_rows: null result");
  RALLREC_CHECK(task.rows * task.width == 0 || (task.queries != nullptr && task.table != nullptr),
                "nearest_rows: null input");
  if (queue.device == Device::kCuda) {
    RALLREC_CHECK(task.k <= detail::kNearestMost, "nearest_rows: on a GPU k is at most 2048");
    detail::nearest_rows_gpu(queue, task, best, scores);
    return;
  }
  RALLREC_CHECK(task.excluded_offsets == nullptr || task.excluded != nullptr ||
                    task.excluded_offsets[task.query_count] == 0,
                "nearest_rows: null excluded rows");
  Search(task, best, scores).run();
}

}  // namespace rallrec::kernels
