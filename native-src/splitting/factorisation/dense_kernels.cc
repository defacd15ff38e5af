#include "splitting/factorisation/dense_kernels.h"

#include <algorithm>
#include <cstring>

namespace lockstep::LOCKSTEP_ISA {
namespace {

#if defined(__AVX512F__)
constexpr std::size_t WIDTH = 8;
#elif defined(__AVX2__)
constexpr std::size_t WIDTH = 4;
#else
constexpr std::size_t WIDTH = 2;
#endif
constexpr std::size_t VECTORS = 2;  // A tile is VECTORS × WIDTH rows of COLUMNS columns, held in registers.
constexpr std::size_t ROWS = VECTORS * WIDTH;
constexpr std::size_t COLUMNS = WIDTH == 8 ? 8 : 4;
constexpr std::size_t DEPTH = 256;  // A panel of A, ROWS × DEPTH, stays in the first cache.

using Doubles = double __attribute__((vector_size(WIDTH * sizeof(double))));

struct Operand {
  const double* data;
  std::size_t down;
  std::size_t across;
};

void subtract_tile(double* c, std::size_t c_stride, const double* a, std::size_t a_stride, const Operand& b,
                   std::size_t depth) {
  Doubles tile[COLUMNS][VECTORS];
  for (std::size_t j = 0; j < COLUMNS; ++j) std::memcpy(tile[j], c + j * c_stride, sizeof(tile[j]));
  for (std::size_t k = 0; k < depth; ++k) {
    Doubles left[VECTORS];
    std::memcpy(left, a + k * a_stride, sizeof(left));
    for (std::size_t j = 0; j < COLUMNS; ++j) {
      const double factor = b.data[k * b.down + j * b.across];
      for (std::size_t v = 0; v < VECTORS; ++v) tile[j][v] -= left[v] * factor;
    }
  }
  for (std::size_t j = 0; j < COLUMNS; ++j) std::memcpy(c + j * c_stride, tile[j], sizeof(tile[j]));
}

void subtract_rest(double* c, std::size_t c_stride, const double* a, std::size_t a_stride, const Operand& b,
                   std::size_t rows, std::size_t columns, std::size_t depth) {
  for (std::size_t j = 0; j < columns; ++j) {
    for (std::size_t k = 0; k < depth; ++k) {
      const double factor = b.data[k * b.down + j * b.across];
      for (std::size_t i = 0; i < rows; ++i) c[j * c_stride + i] -= a[k * a_stride + i] * factor;
    }
  }
}

void subtract_product(double* c, std::size_t c_stride, const double* a, std::size_t a_stride, const double* b,
                      std::size_t b_down, std::size_t b_across, std::size_t rows, std::size_t columns,
                      std::size_t depth) {
  for (std::size_t k = 0; k < depth; k += DEPTH) {
    const std::size_t slab = std::min(DEPTH, depth - k);
    const Operand right{b + k * b_down, b_down, b_across};
    const double* left = a + k * a_stride;
    std::size_t i = 0;
    for (; i + ROWS <= rows; i += ROWS) {
      std::size_t j = 0;
      for (; j + COLUMNS <= columns; j += COLUMNS) {
        subtract_tile(c + i + j * c_stride, c_stride, left + i, a_stride,
                      {right.data + j * b_across, b_down, b_across}, slab);
      }
      subtract_rest(c + i + j * c_stride, c_stride, left + i, a_stride,
                    {right.data + j * b_across, b_down, b_across}, ROWS, columns - j, slab);
    }
    subtract_rest(c + i, c_stride, left + i, a_stride, right, rows - i, columns, slab);
  }
}

}  // namespace

extern const DenseKernels dense_kernels = {subtract_product};

}  // namespace lockstep::LOCKSTEP_ISA
