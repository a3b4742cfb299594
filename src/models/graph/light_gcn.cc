#include "models/graph/light_gcn.h"

#include <cmath>
#include <vector>

#include "core/check.h"
#include "kernels/spmm.h"
#include "kernels/spmm_bitmap.h"

namespace rallrec::models {
namespace {

// Rows of an adjacency, with offsets from 0 and neighbours as rows of a rank's matrices.
struct OwnRows {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> neighbours;
  const float* weights;
};

OwnRows own_rows(const Adjacency& adjacency, const RowExchange& exchange) {
  const distributed::Range own = exchange.own_nodes();
  const std::int64_t first = adjacency.offsets[own.begin];
  OwnRows rows{{}, {}, adjacency.weights.data() + first};
  for (std::size_t node = own.begin; node <= own.end; ++node) {
    rows.offsets.push_back(adjacency.offsets[node] - first);
  }
  rows.neighbours.reserve(static_cast<std::size_t>(rows.offsets.back()));
  for (std::int64_t e = first; e < adjacency.offsets[own.end]; ++e) {
    rows.neighbours.push_back(exchange.places()[adjacency.neighbours[e]]);
  }
  return rows;
}

// Bits for all pairs of nodes must not be much more than the entries that they stand for.
bool prefer_bitmap(const Queue& queue, const Adjacency& adjacency) {
  if (queue.device != Device::kCuda) {
    return false;
  }
  const std::int64_t bitmap_bytes =
      8 * adjacency.nodes() * kernels::bitmap_words(adjacency.nodes());
  const auto entry_bytes = static_cast<std::int64_t>(8 * adjacency.neighbours.size());
  return bitmap_bytes <= 2 * entry_bytes &&
         kernels::prefer_bitmap(queue.device,
                                kernels::bitmap_fill(adjacency.rows(0, adjacency.nodes())));
}

std::vector<float> inverse_root_degrees(const Adjacency& adjacency) {
  std::vector<float> scales;
  for (std::int64_t node = 0; node < adjacency.nodes(); ++node) {
    const std::int64_t degree = adjacency.offsets[node + 1] - adjacency.offsets[node];
    scales.push_back(
        degree == 0 ? 0.0F : static_cast<float>(1.0 / std::sqrt(static_cast<double>(degree))));
  }
  return scales;
}

}  // namespace

LightGcn::LightGcn(const Adjacency& adjacency, std::int64_t layers, std::int64_t width,
                   const distributed::Place& place)
    : layers_(layers),
      width_(width),
      place_(place),
      by_bitmap_(prefer_bitmap(place.queue, adjacency)),
      exchange_(adjacency, width, place, by_bitmap_),
      offsets_(array<std::int64_t>()),
      neighbours_(array<std::int32_t>()),
      weights_(array<float>()),
      words_(array<std::uint64_t>()),
      scales_(array<float>()),
      between_(array<float>()) {
  RALLREC_CHECK(layers >= 0 && width > 0, "LightGcn: layers must be >= 0 and the width positive");
  if (by_bitmap_) {
    const distributed::Range own = exchange_.own_nodes();
    words_.assign(kernels::make_bitmap(adjacency.rows(static_cast<std::int64_t>(own.begin),
                                                      static_cast<std::int64_t>(own.end)))
                      .words);
    scales_.assign(inverse_root_degrees(adjacency));
    return;
  }
  const OwnRows rows = own_rows(adjacency, exchange_);
  offsets_.assign(rows.offsets);
  neighbours_.assign(rows.neighbours);
  weights_.assign(rows.weights, rows.neighbours.size());
}

void LightGcn::layer(const DeviceArray<float>& h, const DeviceArray<float>& x, float scale,
                     DeviceArray<float>& y) {
  y.resize(count());
  const auto own_rows = static_cast<std::int64_t>(exchange_.own_nodes().size());
  if (by_bitmap_) {
    const kernels::BitmapView bits{own_rows, exchange_.rows(), words_.data(),
                                   scales_.data() + exchange_.own_begin(), scales_.data()};
    kernels::spmm_bitmap(place_.queue, bits, h.data(), width_, own(x), scale, own(y));
    return;
  }
  const kernels::CsrView rows{own_rows, exchange_.rows(), offsets_.data(), neighbours_.data(),
                              weights_.data()};
  kernels::spmm(place_.queue, rows, h.data(), width_, own(x), scale, own(y));
}

void LightGcn::propagate(const DeviceArray<float>& x, DeviceArray<float>& result) {
  RALLREC_CHECK(x.size() == count(), "LightGcn: the input has the wrong size");
  if (layers_ == 0) {
    result.resize(count());
    copy_on_device(place_.queue, own(result), own(x), own_count() * sizeof(float));
    return;
  }
  const float mean = 1.0f / static_cast<float>(layers_ + 1);
  const DeviceArray<float>* h = &x;
  for (std::int64_t l = 1; l <= layers_; ++l) {
    // The last layer writes the result, those before it take turns.
    DeviceArray<float>& y = (layers_ - l) % 2 == 0 ? result : between_;
    layer(*h, x, l == layers_ ? mean : 1.0f, y);
    if (l < layers_) {
      exchange_.fill(y);
    }
    h = &y;
  }
}

void LightGcn::gather(const DeviceArray<float>& matrix, DeviceArray<float>& full) {
  if (place_.device.size() == 1) {
    full.assign_device(matrix.data(), matrix.size());
  } else {
    exchange_.gather(matrix, full);
  }
}

void LightGcn::settle() { place_.device.barrier(); }

}  // namespace rallrec::models
