#include "kernels/int8_dequantize.h"

#include <algorithm>

#include "core/parallel_for.h"
#include "kernels/bfloat16.h"
#include "kernels/int8_dequantize_gpu.h"
#include "kernels/int8_matmul.h"
#include "kernels/no_cuda.h"
#include "kernels/simd.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kWide = kInt8PanelColumns;

// A panel of the packed matrix: 16 columns, the missing ones of the last panel with scale 0.
struct SourcePanel {
  SourcePanel(const Int8Packed& b, std::int64_t panel)
      : values(b.packed + panel * kWide * int8_padded_depth(b.depth)) {
    const std::int64_t first = panel * kWide;
    std::copy_n(b.scale + first, std::min(kWide, b.columns - first), scale);
  }

  const std::int8_t* values;
  float scale[kWide] = {};
};

// The 16 values of depth k.
[[gnu::always_inline]] inline void row_of(const SourcePanel& panel, std::int64_t k, float* row) {
  const std::int8_t* values = panel.values + k / 2 * 2 * kWide + k % 2;
  for (std::int64_t c = 0; c < kWide; ++c) {
    row[c] = static_cast<float>(values[2 * c]) * panel.scale[c];
  }
}

struct Dequantize {
  [[gnu::always_inline]] static void run(const SourcePanel* panel, std::int64_t depth, float* to) {
    for (std::int64_t k = 0; k < depth; ++k) {
      row_of(*panel, k, to + k * kWide);
    }
  }
};

// Column c of the source panel becomes row c of every panel of the turned matrix.
struct Turn {
  [[gnu::always_inline]] static void run(const SourcePanel* panel, std::int64_t depth,
                                         std::int64_t rows, std::int64_t panel_stride, float* to) {
    for (std::int64_t c = 0; c < rows; ++c) {
      const std::int8_t* values = panel->values + 2 * c;
      for (std::int64_t k = 0; k < depth; k += kWide) {
        float* row = to + k / kWide * panel_stride + c * kWide;
        const std::int64_t count = std::min(kWide, depth - k);
        for (std::int64_t i = 0; i < count; ++i) {
          const std::int64_t pair = (k + i) / 2;
          row[i] = static_cast<float>(values[pair * 2 * kWide + i % 2]) * panel->scale[c];
        }
        std::fill(row + count, row + kWide, 0.0F);
      }
    }
  }
};

template <typename Body>
void for_each_panel(const Int8Packed& b, const Body& body) {
  parallel_for(int8_panels(b.columns), 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      body(SourcePanel(b, p), p);
    }
  });
}

}  // namespace

void dequantize_panels(const Queue& queue, const Int8Packed& b, float* panels) {
  require_cpu(queue, "dequantize_panels");
  for_each_panel(b, [&](const SourcePanel& panel, std::int64_t p) {
    run_best<Dequantize>(&panel, b.depth, panels + p * kWide * b.depth);
  });
}

void dequantize_turned_panels(const Queue& queue, const Int8Packed& b, float* panels) {
  require_cpu(queue, "dequantize_turned_panels");
  for_each_panel(b, [&](const SourcePanel& panel, std::int64_t p) {
    const std::int64_t rows = std::min(kWide, b.columns - p * kWide);
    run_best<Turn>(&panel, b.depth, rows, kWide * b.columns, panels + p * kWide * kWide);
  });
}

void dequantize_bfloat16(const Queue& queue, const Int8Packed& b, std::uint16_t* rows) {
  if (queue.device == Device::kCuda) {
    detail::dequantize_bfloat16_gpu(queue, b, rows);
    return;
  }
  for_each_panel(b, [&](const SourcePanel& panel, std::int64_t p) {
    const std::int64_t count = std::min(kWide, b.columns - p * kWide);
    float values[kWide];
    for (std::int64_t k = 0; k < b.depth; ++k) {
      row_of(panel, k, values);
      for (std::int64_t c = 0; c < count; ++c) {
        rows[(p * kWide + c) * b.depth + k] = rounded_to_bfloat16(values[c]);
      }
    }
  });
}

}  // namespace rallrec::kernels
