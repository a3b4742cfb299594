#pragma once

#include <cstddef>
#include <vector>

namespace rallrec::data {

// A read-only window on consecutive elements that somebody else owns. Valid as long as the owner is
// neither changed nor destroyed.
template <class T>
class ArrayView {
 public:
  ArrayView() = default;
  ArrayView(const T* data, std::size_t size) : data_(data), size_(size) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  const T& operator[](std::size_t index) const { return data_[index]; }

 private:
  const T* data_ = nullptr;
  std::size_t size_ = 0;
};

// Rows [offsets[row], offsets[row + 1]) of `values`: one row of a compressed-row layout.
template <class T, class Offset>
ArrayView<T> row_view(const std::vector<Offset>& offsets, const std::vector<T>& values,
                      std::size_t row) {
  const auto begin = static_cast<std::size_t>(offsets[row]);
  return {values.data() + begin, static_cast<std::size_t>(offsets[row + 1]) - begin};
}

}  // namespace rallrec::data
