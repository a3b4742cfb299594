#include "kernels/int8_matmul.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/int8_quads.h"
#include "kernels/no_cuda.h"

namespace rallrec::kernels {
namespace {

// Rows of A that stay in the second-level cache while panels of B pass by.
constexpr std::int64_t kRowBlock = 96;
// Panels of B that one task takes.
constexpr std::int64_t kPanelBlock = 6;
// Rows of a task that makes its panels first: making one costs as much as multiplying by a few rows
// with vpdpbusd, by a few tens with tiles.
constexpr std::int64_t kRowsPerMade = 8 * kRowBlock;

struct Product {
  Int8Shape shape;
  const QuantizedRows& a;
  const std::int8_t* b;
  const float* b_scale;
  bool accumulate;
  float* c;
  const detail::Int8Kernel& kernel;
  std::int64_t depth;  // of the panels that are multiplied

  Product(const Int8Shape& product_shape, const QuantizedRows& left, const std::int8_t* packed,
          const float* scale, bool add, float* result)
      : shape(product_shape),
        a(left),
        b(packed),
        b_scale(scale),
        accumulate(add),
        c(result),
        kernel(detail::int8_kernel(left.level())),
        depth(kernel.quads ? detail::quad_padded_depth(shape.depth)
                           : int8_padded_depth(shape.depth)) {}
};

std::int64_t blocks_of(std::int64_t count, std::int64_t block) {
  return (count + block - 1) / block;
}

void store_tile(const Product& product, std::int64_t row, int rows, std::int64_t panel,
                const std::int32_t* sums) {
  const std::int64_t column = panel * kInt8PanelColumns;
  product.kernel.store({rows, std::min(kInt8PanelColumns, product.shape.columns - column), sums,
                        product.a.scale() + row,
                        product.b_scale == nullptr ? nullptr : product.b_scale + column,
                        product.accumulate, product.c + row * product.shape.columns + column,
                        product.shape.columns});
}

// Rows [row_begin, row_end) against panels [first, last), which stand at panels[0] ….
void multiply_panels(const Product& product, std::int64_t row_begin, std::int64_t row_end,
                     std::int64_t first, std::int64_t last, const std::int8_t* const* panels) {
  const detail::Int8Kernel& kernel = product.kernel;
  alignas(64) std::int32_t sums[detail::kInt8MaxTileSums];
  for (std::int64_t panel = first; panel < last; panel += kernel.tile_panels) {
    // A missing second panel is the first once more; its sums are not used.
    const std::int64_t count = std::min<std::int64_t>(kernel.tile_panels, last - panel);
    const std::int8_t* const* place = panels + (panel - first);
    for (std::int64_t row = row_begin; row < row_end; row += kernel.tile_rows) {
      const int rows = static_cast<int>(std::min<std::int64_t>(kernel.tile_rows, row_end - row));
      kernel.tile({rows,
                   product.depth,
                   product.a.row(row),
                   product.a.row_bytes(),
                   {place[0], place[count - 1]},
                   sums});
      for (std::int64_t i = 0; i < count; ++i) {
        store_tile(product, row, rows, panel + i, sums + i * kernel.tile_rows * kInt8PanelColumns);
      }
    }
  }
}

// The same in blocks of rows that stay in the cache.
void multiply_rows(const Product& product, std::int64_t row_begin, std::int64_t row_end,
                   std::int64_t first, std::int64_t last, const std::int8_t* const* panels) {
  for (std::int64_t row = row_begin; row < row_end; row += kRowBlock) {
    multiply_panels(product, row, std::min(row_end, row + kRowBlock), first, last, panels);
  }
}

// Panels that are made from the packed B before they are multiplied: panels of Bᵀ, block by block
// of 16 × 16, and those of the levels that read depth in fours.
class MadePanels {
 public:
  MadePanels(const Product& product, bool turned)
      : product_(product),
        turned_(turned),
        sources_(int8_panels(product.shape.depth)),
        lines_(static_cast<std::size_t>(kPanelBlock * panel_bytes() / kLineBytes)) {}

  // Panel `panel` of the product's right factor, kept at place `place` until it is made anew.
  const std::int8_t* make(std::int64_t panel, std::int64_t place) {
    std::int8_t* to = lines_.data()->bytes + place * panel_bytes();
    const std::int64_t pairs = int8_padded_depth(product_.shape.depth) / 2;
    if (turned_) {
      detail::turn_packed(product_.kernel.turn, product_.b, product_.shape.columns,
                          product_.shape.depth, panel, to);
    }
    if (product_.kernel.quads) {
      const std::int8_t* packed = product_.b + panel * 2 * kInt8PanelColumns * pairs;
      detail::make_quads(turned_ ? to : packed, pairs, to);
    }
    return to;
  }

 private:
  static constexpr std::int64_t kLineBytes = 64;
  struct alignas(64) Line {
    std::int8_t bytes[kLineBytes];
  };

  std::int64_t panel_bytes() const {
    return product_.kernel.quads ? detail::quad_panel_bytes(product_.shape.depth)
                                 : sources_ * kInt8PanelColumns * kInt8PanelColumns;
  }

  const Product& product_;
  bool turned_;
  std::int64_t sources_;  // panels of B, whose columns are the depth of Bᵀ
  std::vector<Line> lines_;
};

// What a level needs around the tiles that a thread computes.
class InLevel {
 public:
  explicit InLevel(const detail::Int8Kernel& kernel) : kernel_(kernel) {
    if (kernel_.enter != nullptr) {
      kernel_.enter();
    }
  }
  InLevel(const InLevel&) = delete;
  InLevel& operator=(const InLevel&) = delete;
  ~InLevel() {
    if (kernel_.leave != nullptr) {
      kernel_.leave();
    }
  }

 private:
  const detail::Int8Kernel& kernel_;
};

// Blocks of panels that lie in B as they are multiplied, each against one block of rows.
void multiply_in_place(const Product& product) {
  const std::int64_t panels = int8_panels(product.shape.columns);
  const std::int64_t panel_blocks = blocks_of(panels, kPanelBlock);
  const std::int64_t tasks = blocks_of(product.shape.rows, kRowBlock) * panel_blocks;
  parallel_for(tasks, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int8_t* places[kPanelBlock];
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t row = task / panel_blocks * kRowBlock;
      const std::int64_t first = task % panel_blocks * kPanelBlock;
      const std::int64_t last = std::min(panels, first + kPanelBlock);
      for (std::int64_t panel = first; panel < last; ++panel) {
        places[panel - first] = product.b + panel * kInt8PanelColumns * product.depth;
      }
      multiply_panels(product, row, std::min(product.shape.rows, row + kRowBlock), first, last,
                      places);
    }
  });
}

// Blocks of panels that are made first, each against `task_rows` rows.
void multiply_made(const Product& product, bool turned, std::int64_t task_rows) {
  const std::int64_t panels = int8_panels(product.shape.columns);
  const std::int64_t panel_blocks = blocks_of(panels, kPanelBlock);
  const std::int64_t tasks = blocks_of(product.shape.rows, task_rows) * panel_blocks;
  parallel_for(tasks, 1, [&](std::int64_t begin, std::int64_t end) {
    MadePanels made(product, turned);
    const InLevel in_level(product.kernel);
    const std::int8_t* places[kPanelBlock];
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t row = task / panel_blocks * task_rows;
      const std::int64_t first = task % panel_blocks * kPanelBlock;
      const std::int64_t last = std::min(panels, first + kPanelBlock);
      for (std::int64_t panel = first; panel < last; ++panel) {
        places[panel - first] = made.make(panel, panel - first);
      }
      multiply_rows(product, row, std::min(product.shape.rows, row + task_rows), first, last,
                    places);
    }
  });
}

void check_shape(const Queue& queue, const Int8Shape& shape, const QuantizedRows& a,
                 const char* name) {
  require_cpu(queue, name);
  RALLREC_CHECK(shape.depth > 0 && shape.depth <= kInt8MaxDepth,
                std::string(name) + ": depth must be in 1…133144, or sums overflow");
  RALLREC_CHECK(a.rows() == shape.rows && a.depth() == shape.depth,
                std::string(name) + ": the quantised rows are of another shape than the product");
}

}  // namespace

std::int64_t int8_packed_size(std::int64_t depth, std::int64_t columns) {
  return int8_panels(columns) * kInt8PanelColumns * int8_padded_depth(depth);
}

void pack_int8(const std::int8_t* source, std::int64_t depth_stride, std::int64_t column_stride,
               std::int64_t depth, std::int64_t columns, std::int8_t* packed) {
  const std::int64_t padded = int8_padded_depth(depth);
  std::fill_n(packed, int8_packed_size(depth, columns), std::int8_t{0});
  for (std::int64_t j = 0; j < columns; ++j) {
    std::int8_t* panel = packed + j / kInt8PanelColumns * kInt8PanelColumns * padded;
    for (std::int64_t k = 0; k < depth; ++k) {
      panel[k / 2 * 2 * kInt8PanelColumns + j % kInt8PanelColumns * 2 + k % 2] =
          source[k * depth_stride + j * column_stride];
    }
  }
}

void unpack_int8_panel(const std::int8_t* panel, std::int64_t depth, std::int8_t* rows) {
  const std::int64_t padded = int8_padded_depth(depth);
  for (std::int64_t k = 0; k < padded; ++k) {
    const std::int8_t* pair = panel + k / 2 * 2 * kInt8PanelColumns + k % 2;
    for (std::int64_t j = 0; j < kInt8PanelColumns; ++j) {
      rows[j * padded + k] = pair[2 * j];
    }
  }
}

void int8_matmul(const Queue& queue, const Int8Shape& shape, const QuantizedRows& a,
                 const std::int8_t* b, const float* b_scale, bool accumulate, float* c) {
  check_shape(queue, shape, a, "int8_matmul");
  const Product product(shape, a, b, b_scale, accumulate, c);
  if (product.kernel.quads) {
    multiply_made(product, false, kRowsPerMade);
  } else {
    multiply_in_place(product);
  }
}

void int8_matmul_transposed(const Queue& queue, const Int8Shape& shape, const QuantizedRows& a,
                            const std::int8_t* b, bool accumulate, float* c) {
  check_shape(queue, shape, a, "int8_matmul_transposed");
  multiply_made(Product(shape, a, b, nullptr, accumulate, c), true,
                std::max<std::int64_t>(shape.rows, 1));
}

}  // namespace rallrec::kernels
