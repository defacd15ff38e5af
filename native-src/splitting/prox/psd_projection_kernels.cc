#include "splitting/prox/psd_projection_kernels.h"

#include <cstring>

#include "splitting/prox/psd_projection.h"

namespace lockstep::LOCKSTEP_ISA {
namespace {

using splitting::PSD_LANES;
using splitting::PSD_MAX_WIDTH;

constexpr std::size_t LANES = PSD_LANES;
constexpr int MOST_PAIRS = PSD_MAX_WIDTH / 2;

// Off-diagonal entries below this part of the matrix's norm are left: the eigenvalues then err by less than
// PSD_MAX_WIDTH times it, and so does the projection, which is no farther apart than the matrices are.
constexpr double NEGLIGIBLE = 1e-16;
// Random matrices take five to seven; more would mean that the input is not finite.
constexpr int MOST_SWEEPS = 40;

// One entry of all matrices. The compiler splits it where its registers are narrower.
using Lanes = double __attribute__((vector_size(LANES * sizeof(double))));

inline Lanes& at(double* matrix, int width, int row, int column) {
  return *reinterpret_cast<Lanes*>(matrix + static_cast<std::size_t>(row * width + column) * LANES);
}

struct Workspace {
  alignas(64) double matrix[PSD_MAX_WIDTH * PSD_MAX_WIDTH * LANES];   // the upper triangle, on its way to Λ
  alignas(64) double vectors[PSD_MAX_WIDTH * PSD_MAX_WIDTH * LANES];  // row k is eigenvector k
  // Of the rotations that a step applies to disjoint pairs of rows.
  alignas(64) double cosines[MOST_PAIRS * LANES];
  alignas(64) double sines[MOST_PAIRS * LANES];
  alignas(64) double tangents[MOST_PAIRS * LANES];
  alignas(64) double differences[MOST_PAIRS * LANES];
  alignas(64) double off_diagonals[MOST_PAIRS * LANES];
  alignas(64) double thresholds[LANES];
};

struct Pair {
  int p, q;  // p < q
};

// Sweeps in the order of a round-robin tournament: the pairs of a step have no row in common, so that their
// angles are found side by side instead of each waiting for the one before (Golub & Van Loan, section 8.5.6).
int pairs_of_step(int step, int width, Pair* pairs) {
  const int players = width + width % 2;
  int count = 0;
  for (int seat = 0; seat < players / 2; ++seat) {
    const int a = seat == 0 ? players - 1 : (step + seat) % (players - 1);
    const int b = (step + players - 1 - seat) % (players - 1);
    if (a < width && b < width) pairs[count++] = a < b ? Pair{a, b} : Pair{b, a};
  }
  return count;
}

// Stable formula of Rutishauser (1966). A lane whose entry is negligible gets the identity exactly, so that a
// matrix that has converged waits unchanged for the others.
// @return whether any rotation is not the identity
bool find_rotations(Workspace& work, const Pair* pairs, int count, int width) {
  for (int i = 0; i < count; ++i) {
    const auto [p, q] = pairs[i];
    at(work.off_diagonals, 1, i, 0) = at(work.matrix, width, p, q);
    at(work.differences, 1, i, 0) = 0.5 * (at(work.matrix, width, q, q) - at(work.matrix, width, p, p));
  }
  double rotated = 0;
  for (int i = 0; i < count; ++i) {
    for (std::size_t lane = 0; lane < LANES; ++lane) {
      const std::size_t at = static_cast<std::size_t>(i) * LANES + lane;
      const double off = work.off_diagonals[at];
      const double difference = work.differences[at];
      const double rotates = __builtin_fabs(off) > work.thresholds[lane] ? 1.0 : 0.0;
      const double root = __builtin_sqrt(difference * difference + off * off);
      const double denominator = difference >= 0 ? difference + root : difference - root;
      const double tangent = rotates != 0 ? off / (rotates != 0 ? denominator : 1.0) : 0.0;
      const double cosine = 1 / __builtin_sqrt(1 + tangent * tangent);
      work.tangents[at] = tangent;
      work.cosines[at] = cosine;
      work.sines[at] = tangent * cosine;
      rotated += rotates;
    }
  }
  return rotated != 0;
}

inline void rotate(Lanes& first, Lanes& second, const Lanes& cosine, const Lanes& sine) {
  const Lanes a = first, b = second;
  first = cosine * a - sine * b;
  second = sine * a + cosine * b;
}

void apply_rotation(Workspace& work, int pair, int p, int q, int width) {
  const Lanes cosine = at(work.cosines, 1, pair, 0), sine = at(work.sines, 1, pair, 0);
  double* const matrix = work.matrix;
  Lanes& off = at(matrix, width, p, q);
  const Lanes moved = at(work.tangents, 1, pair, 0) * off;
  at(matrix, width, p, p) -= moved;
  at(matrix, width, q, q) += moved;
  for (std::size_t lane = 0; lane < LANES; ++lane) {
    double& entry = matrix[static_cast<std::size_t>(p * width + q) * LANES + lane];
    entry = __builtin_fabs(entry) > work.thresholds[lane] ? 0.0 : entry;
  }
  for (int k = 0; k < p; ++k) rotate(at(matrix, width, k, p), at(matrix, width, k, q), cosine, sine);
  for (int k = p + 1; k < q; ++k) rotate(at(matrix, width, p, k), at(matrix, width, k, q), cosine, sine);
  for (int k = q + 1; k < width; ++k) rotate(at(matrix, width, p, k), at(matrix, width, q, k), cosine, sine);
  for (int k = 0; k < width; ++k) {
    rotate(at(work.vectors, width, p, k), at(work.vectors, width, q, k), cosine, sine);
  }
}

void prepare(Workspace& work, const double* batch, int width) {
  const auto entries = static_cast<std::size_t>(width) * static_cast<std::size_t>(width);
  std::memcpy(work.matrix, batch, entries * LANES * sizeof(double));
  std::memset(work.vectors, 0, entries * LANES * sizeof(double));
  for (int k = 0; k < width; ++k) at(work.vectors, width, k, k) += 1.0;
  Lanes squares = {};
  for (int row = 0; row < width; ++row) {
    squares += at(work.matrix, width, row, row) * at(work.matrix, width, row, row);
    for (int column = row + 1; column < width; ++column) {
      squares += 2.0 * at(work.matrix, width, row, column) * at(work.matrix, width, row, column);
    }
  }
  for (std::size_t lane = 0; lane < LANES; ++lane) {
    work.thresholds[lane] = NEGLIGIBLE * __builtin_sqrt(squares[lane]);
  }
}

// Cyclic Jacobi: matrix becomes Λ, and the input is vectorsᵀ Λ vectors.
void diagonalise(Workspace& work, int width) {
  Pair pairs[MOST_PAIRS];
  const int steps = width + width % 2 - 1;
  bool rotated = true;
  for (int sweep = 0; rotated && sweep < MOST_SWEEPS; ++sweep) {
    rotated = false;
    for (int step = 0; step < steps; ++step) {
      const int count = pairs_of_step(step, width, pairs);
      if (!find_rotations(work, pairs, count, width)) continue;
      rotated = true;
      for (int i = 0; i < count; ++i) apply_rotation(work, i, pairs[i].p, pairs[i].q, width);
    }
  }
}

// Adds what takes the negative eigenvalues to zero, so that a matrix without any stays as it is.
void add_negative_part(Workspace& work, double* batch, int width) {
  for (int k = 0; k < width; ++k) {
    Lanes& value = at(work.matrix, width, k, k);
    for (std::size_t lane = 0; lane < LANES; ++lane) {
      double& missing = work.matrix[static_cast<std::size_t>(k * width + k) * LANES + lane];
      missing = missing < 0 ? -missing : 0.0;
    }
    for (int row = 0; row < width; ++row) {
      const Lanes scaled = value * at(work.vectors, width, k, row);
      for (int column = row; column < width; ++column) {
        at(batch, width, row, column) += scaled * at(work.vectors, width, k, column);
      }
    }
  }
  for (int row = 0; row < width; ++row) {
    for (int column = row; column < width; ++column) {
      // Adding zero leaves no −0, whose sign could come from a rotation that only other lanes needed.
      at(batch, width, row, column) += 0.0;
      at(batch, width, column, row) = at(batch, width, row, column);
    }
  }
}

void project(double* batch, int width, double* eigenvalues) {
  Workspace work;
  prepare(work, batch, width);
  diagonalise(work, width);
  for (int k = 0; k < width; ++k) at(eigenvalues, 1, k, 0) = at(work.matrix, width, k, k);
  add_negative_part(work, batch, width);
}

}  // namespace

extern const PsdKernels psd_kernels = {project};

}  // namespace lockstep::LOCKSTEP_ISA
