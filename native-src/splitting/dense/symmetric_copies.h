#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace lockstep::splitting {

/// The upper triangle of a symmetric matrix, row by row.
struct SymmetricLayout {
  std::size_t width;

  std::size_t entries() const { return width * (width + 1) / 2; }
  std::size_t at(std::size_t row, std::size_t column) const {
    if (row > column) std::swap(row, column);
    return row * width - row * (row + 1) / 2 + column;
  }
};

/// One matrix after the other.
class SymmetricCopies {
 public:
  SymmetricCopies() = default;
  SymmetricCopies(SymmetricLayout layout, std::size_t count)
      : entries_(layout.entries()), values_(layout.entries() * count, 0.0) {}

  std::span<double> operator[](std::size_t copy) {
    return std::span(values_).subspan(copy * entries_, entries_);
  }
  std::span<const double> operator[](std::size_t copy) const {
    return std::span(values_).subspan(copy * entries_, entries_);
  }
  std::span<double> all() { return values_; }
  std::span<const double> all() const { return values_; }
  std::size_t count() const { return entries_ == 0 ? 0 : values_.size() / entries_; }

 private:
  std::size_t entries_ = 0;
  std::vector<double> values_;
};

}  // namespace lockstep::splitting
