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

/// C and A begin at the tile, B at its columns.
struct Slab {
  double* c;
  std::size_t c_stride;
  const double* a;
  std::size_t a_stride;
  const double* b;
  std::size_t b_down;
  std::size_t b_across;
  std::size_t depth;

  Slab at_column(std::size_t j) const {
    return {c + j * c_stride, c_stride, a, a_stride, b + j * b_across, b_down, b_across, depth};
  }
};

template <std::size_t TALL, std::size_t WIDE>
void subtract_tile(const Slab& slab) {
  Doubles tile[WIDE][TALL];
  for (std::size_t j = 0; j < WIDE; ++j) std::memcpy(tile[j], slab.c + j * slab.c_stride, sizeof(tile[j]));
  for (std::size_t k = 0; k < slab.depth; ++k) {
    Doubles left[TALL];
    std::memcpy(left, slab.a + k * slab.a_stride, sizeof(left));
    for (std::size_t j = 0; j < WIDE; ++j) {
      const double factor = slab.b[k * slab.b_down + j * slab.b_across];
      for (std::size_t v = 0; v < TALL; ++v) tile[j][v] -= left[v] * factor;
    }
  }
  for (std::size_t j = 0; j < WIDE; ++j) std::memcpy(slab.c + j * slab.c_stride, tile[j], sizeof(tile[j]));
}

/// TALL × WIDTH rows.
template <std::size_t TALL>
void subtract_rows(const Slab& slab, std::size_t columns) {
  std::size_t j = 0;
  for (; j + COLUMNS <= columns; j += COLUMNS) subtract_tile<TALL, COLUMNS>(slab.at_column(j));
  for (; j + 2 <= columns; j += 2) subtract_tile<TALL, 2>(slab.at_column(j));
  if (j < columns) subtract_tile<TALL, 1>(slab.at_column(j));
}

/// Fewer than WIDTH rows, beside rows of zeros.
void subtract_last_rows(const Slab& slab, std::size_t rows, std::size_t columns) {
  double left[WIDTH * DEPTH];
  for (std::size_t k = 0; k < slab.depth; ++k) {
    for (std::size_t i = 0; i < WIDTH; ++i)
      left[k * WIDTH + i] = i < rows ? slab.a[k * slab.a_stride + i] : 0;
  }
  double tile[WIDTH * COLUMNS];
  for (std::size_t j = 0; j < columns; j += COLUMNS) {
    const std::size_t wide = std::min(COLUMNS, columns - j);
    for (std::size_t l = 0; l < wide; ++l) {
      for (std::size_t i = 0; i < WIDTH; ++i)
        tile[l * WIDTH + i] = i < rows ? slab.c[(j + l) * slab.c_stride + i] : 0;
    }
    const Slab part = slab.at_column(j);
    subtract_rows<1>({tile, WIDTH, left, WIDTH, part.b, part.b_down, part.b_across, part.depth}, wide);
    for (std::size_t l = 0; l < wide; ++l)
      std::copy_n(&tile[l * WIDTH], rows, &slab.c[(j + l) * slab.c_stride]);
  }
}

void subtract_product(double* c, std::size_t c_stride, const double* a, std::size_t a_stride, const double* b,
                      std::size_t b_down, std::size_t b_across, std::size_t rows, std::size_t columns,
                      std::size_t depth) {
  for (std::size_t k = 0; k < depth; k += DEPTH) {
    const auto at_row = [&](std::size_t i) {
      return Slab{c + i,  c_stride, a + k * a_stride + i,      a_stride, b + k * b_down,
                  b_down, b_across, std::min(DEPTH, depth - k)};
    };
    std::size_t i = 0;
    for (; i + ROWS <= rows; i += ROWS) subtract_rows<VECTORS>(at_row(i), columns);
    for (; i + WIDTH <= rows; i += WIDTH) subtract_rows<1>(at_row(i), columns);
    if (i < rows) subtract_last_rows(at_row(i), rows - i, columns);
  }
}

}  // namespace

extern const DenseKernels dense_kernels = {subtract_product};

}  // namespace lockstep::LOCKSTEP_ISA
